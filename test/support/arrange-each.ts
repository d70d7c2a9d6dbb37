import { beforeEach } from 'vitest';

/** What is arranged anew before each test of the file, found in the object that is returned. */
export const arrangeEach = <T extends object>(arrange: () => Promise<T>): T => {
  const arranged = {} as T;
  beforeEach(async () => {
    Object.assign(arranged, await arrange());
  });
  return arranged;
};
