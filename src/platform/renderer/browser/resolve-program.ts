import { constants } from 'node:fs';
import { access, open, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const readStart = async (path: string): Promise<string> => {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8192), 0, 8192, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
};

const isExecutable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** The programs that a start script may lead to: those that it names, and the usual ones beside it. */
const candidatesIn = (script: string, scriptPath: string): readonly string[] => {
  const named = script.match(/\/[\w./+-]*chrom[\w.+-]*/gi) ?? [];
  const beside = ['chrome', 'chromium', 'chrome-headless-shell'].map((name) =>
    join(dirname(scriptPath), name),
  );
  return [...named, ...beside].filter((candidate) => candidate !== scriptPath);
};

/**
 * The program behind a path: links followed, and of a script that starts a browser, the browser. A script that does not `exec`
 * stays between us and the browser, and a SIGKILL then ends only the script. Null when there is no program to be found.
 */
export const resolveProgram = async (path: string): Promise<string | null> => {
  if (!(await isExecutable(path))) return null;
  const program = await realpath(path);
  const start = await readStart(program).catch(() => '');
  if (start === '') return null;
  if (!start.startsWith('#!')) return program;
  for (const candidate of candidatesIn(start, program)) {
    if (!(await isExecutable(candidate))) continue;
    const target = await realpath(candidate);
    if (!(await readStart(target).catch(() => '#!')).startsWith('#!')) return target;
  }
  return null;
};
