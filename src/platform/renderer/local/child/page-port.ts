import { createServer } from 'node:net';

/** Below Linux's range for outgoing connections, any of which could hold the port just when the page server wants it. */
const firstPort = 20_000;
const portCount = 12_000;
const maxTries = 100;

const isFree = (port: number, host: string): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer().unref();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });

/** A port for Remotion's page server. Children that start together begin to look at different places: at their pids. */
export const pickPagePort = async (): Promise<number> => {
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const port = firstPort + ((process.pid + attempt) % portCount);
    if ((await isFree(port, '127.0.0.1')) && (await isFree(port, '0.0.0.0'))) return port;
  }
  throw new Error(`No free port for the page server among ${maxTries} from ${firstPort}.`);
};
