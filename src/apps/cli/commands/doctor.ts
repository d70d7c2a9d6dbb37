import type { Command } from 'commander';
import type { Check } from '../doctor/check.ts';
import { ExitCode } from '../exit-code.ts';
import { helpEnd } from '../help.ts';
import type { Terminal } from '../terminal.ts';

export const addDoctorCommand = (program: Command, terminal: Terminal): void => {
  program
    .command('doctor')
    .description(
      'What is there, what is missing, how to mend it; exit code 1 where something required is missing',
    )
    .option('--json', 'print one object')
    .addHelpText(
      'after',
      helpEnd(
        ['rendermill doctor', 'rendermill doctor --json | jq \'.checks[] | select(.status != "ok")\''],
        [
          'DATABASE_URL',
          'REDIS_URL',
          'RENDERMILL_HOME',
          'STORAGE_DIRECTORY',
          'BROWSER_EXECUTABLE',
          'MIN_FREE_DISK_MB',
        ],
      ),
    )
    .action(async ({ json }: { json?: boolean }) => {
      const { examine } = await import('../doctor/examine.ts');
      const checks = await examine(terminal.environment);
      const healthy = checks.every((check) => check.status !== 'missing');
      terminal.print(json ? JSON.stringify({ ok: healthy, checks }) : checks.map(formatCheck).join('\n'));
      if (!healthy) throw new ExitCode(1);
    });
};

const indent = ' '.repeat(24);

const formatCheck = ({ name, status, found, mend }: Check): string => {
  const first = `${status.padEnd(9)}${name.padEnd(15)}${found.replaceAll('\n', `\n${indent}`)}`;
  return mend === undefined ? first : `${first}\n${indent}→ ${mend}`;
};
