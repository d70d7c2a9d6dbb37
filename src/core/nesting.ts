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
