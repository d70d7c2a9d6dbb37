import type { Database, Tx } from './client.ts';

/** What the work finds out; whatever it writes is taken back. */
export const withoutTrace = async <T>(db: Database, work: (tx: Tx) => Promise<T>): Promise<T> => {
  const tx = await db.startTransaction().execute();
  try {
    return await work(tx);
  } finally {
    await tx.rollback().execute();
  }
};
