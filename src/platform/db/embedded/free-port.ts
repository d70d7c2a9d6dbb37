import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';

/** A port that was free a moment ago; who uses it must still be ready to lose it. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });

/** The port of the last start, so that the address of a database stays what it was where that is possible. */
export const lastPort = async (dataDirectory: string): Promise<number | undefined> => {
  const command = await readFile(join(dataDirectory, 'postmaster.opts'), 'utf8').catch(() => '');
  return portInCommand(command);
};

export const portInCommand = (command: string): number | undefined => {
  const digits = /"-p" "(\d{1,5})"/.exec(command)?.[1];
  return digits === undefined ? undefined : Number(digits);
};
