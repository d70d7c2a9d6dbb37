/** Props are named by paths: price, rating.value. */

/** Would reach into what every object shares. */
const refused: ReadonlySet<string> = new Set(['__proto__', 'prototype', 'constructor']);
const maxLevels = 10;

/** Null where it names nothing that a prop may be called. */
export const parsePropPath = (text: string): readonly string[] | null => {
  const path = text.split('.');
  return path.length <= maxLevels && path.every((part) => part !== '' && !refused.has(part)) ? path : null;
};

/** What differs between "Product name", product_name and productName is left out. */
export const foldName = (name: string): string => name.toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');

/** Where a path leads through something that is no object, the later value wins. */
export const setProp = (props: Record<string, unknown>, path: readonly string[], value: unknown): void => {
  let target = props;
  for (const part of path.slice(0, -1)) {
    const inner = Object.hasOwn(target, part) ? target[part] : undefined;
    const next: Record<string, unknown> =
      typeof inner === 'object' && inner !== null && !Array.isArray(inner)
        ? (inner as Record<string, unknown>)
        : {};
    target[part] = next;
    target = next;
  }
  const last = path.at(-1);
  if (last !== undefined) target[last] = value;
};
