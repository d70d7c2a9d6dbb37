/** A filter of event names: whole names, and beginnings that end in a star, such as `batch_*`. */

const filterPattern = /^(?:[a-z][a-z0-9_]{0,99}\*?|\*)$/;

export const isNameFilter = (text: string): boolean => filterPattern.test(text);

export const isBeginning = (filter: string): boolean => filter.endsWith('*');

export const matchesNames = (filters: readonly string[], name: string): boolean =>
  filters.some((filter) => (isBeginning(filter) ? name.startsWith(filter.slice(0, -1)) : name === filter));
