/** JSON writes 1e300 in five characters and Postgres keeps it in few bytes, yet gives it back with three hundred digits. */
const largest = 1e30;
const smallest = 1e-30;

const isExtreme = (value: number): boolean => {
  const size = Math.abs(value);
  return size > largest || (size > 0 && size < smallest);
};

/** Whether a number stands anywhere in it that has more than thirty digits before or behind the point. */
export const hasExtremeNumber = (value: unknown): boolean => {
  if (typeof value === 'number') return isExtreme(value);
  if (typeof value !== 'object' || value === null) return false;
  return Object.values(value).some(hasExtremeNumber);
};
