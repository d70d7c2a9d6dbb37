import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const answerMs = 5_000;

/** As the browser's own binary tells it: `Chromium 156.0.8078.79`. Null when it does not answer. */
export const readBrowserVersion = (path: string): Promise<string | null> =>
  promisify(execFile)(path, ['--version'], { timeout: answerMs }).then(
    ({ stdout }) => stdout.trim() || null,
    () => null,
  );
