/** The other process of the tests: starts the server of a folder, prints where it is, and stops it when its input ends. */
import { binariesIn, hydrateLibraries } from '../../../../src/platform/db/embedded/binaries.ts';
import { startEmbeddedPostgres } from '../../../../src/platform/db/embedded/embedded-postgres.ts';
import { createLogger } from '../../../../src/platform/log/log.ts';

const [directory = '', packageDirectory] = process.argv.slice(2);

const main = async () => {
  if (packageDirectory) await hydrateLibraries(packageDirectory);
  const binaries = packageDirectory ? { binaries: binariesIn(packageDirectory) } : {};
  const server = await startEmbeddedPostgres({
    directory,
    log: createLogger({ level: 'warn' }),
    ...binaries,
  });
  const { url, adopted, pid } = server;
  console.log(JSON.stringify({ url, adopted, pid }));
  process.stdin.resume().once('end', () => void server.stop());
};

main().catch((error) => {
  console.log(JSON.stringify({ code: error.code, message: error.message }));
  process.exitCode = 1;
  process.stdin.destroy();
});
