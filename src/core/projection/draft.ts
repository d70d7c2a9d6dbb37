/** What a page makes of the rows that were loaded for it: reads see what was written before, and only what was written is saved. */
export interface Draft<Row> {
  get(key: string): Row | undefined;
  set(key: string, row: Row): void;
  /** Rows that were written, each as it is at last. */
  changed(): Row[];
}

export const createDraft = <Row>(loaded: ReadonlyMap<string, Row>): Draft<Row> => {
  const written = new Map<string, Row>();
  return {
    get: (key) => written.get(key) ?? loaded.get(key),
    set: (key, row) => {
      written.set(key, row);
    },
    changed: () => [...written.values()],
  };
};

/** No text that Postgres keeps has a NUL in it, so that two different lists never make one key. */
export const keyOf = (...parts: readonly string[]): string => parts.join('\u0000');
