import { readdir, readFile } from 'node:fs/promises';

/** Living processes that have this text in their environment: `<pid> <command line>`. Linux only. */
export const findProcesses = async (marker: string): Promise<string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      // Gone in the meantime, or another user's.
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (!environment.includes(marker)) return [];
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return [`${pid} ${command.replaceAll('\0', ' ').slice(0, 120)}`];
    }),
  );
  return found.flat();
};
