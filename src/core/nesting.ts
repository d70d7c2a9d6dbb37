/** Whether objects and lists lie in each other deeper than that; walks without recursion, whatever the depth. */
export const isNestedDeeperThan = (value: unknown, levels: number): boolean => {
  const open: { readonly inner: unknown; readonly level: number }[] = [{ inner: value, level: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next.inner !== 'object' || next.inner === null) continue;
    const level = next.level + 1;
    if (level > levels) return true;
    for (const inner of Object.values(next.inner)) open.push({ inner, level });
  }
  return false;
};

/** JSON.parse reads 1e999 as Infinity, which JSON.stringify then writes as null. */
export const holdsInfinity = (value: unknown): boolean => {
  const open: unknown[] = [value];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (typeof next === 'number' && !Number.isFinite(next)) return true;
    if (typeof next === 'object' && next !== null) {
      for (const inner of Object.values(next)) if (inner !== undefined) open.push(inner);
    }
  }
  return false;
};
