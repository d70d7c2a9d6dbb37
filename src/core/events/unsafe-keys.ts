/** Whoever copies key by key would reach through these into what every object shares. */
const unsafe: ReadonlySet<string> = new Set(['__proto__', 'constructor']);

/** The first such key at any depth, else null. For values of a depth that was checked before: see nesting.ts. */
export const findUnsafeKey = (value: unknown): string | null => {
  if (typeof value !== 'object' || value === null) return null;
  for (const [key, inner] of Object.entries(value)) {
    const found = unsafe.has(key) ? key : findUnsafeKey(inner);
    if (found !== null) return found;
  }
  return null;
};
