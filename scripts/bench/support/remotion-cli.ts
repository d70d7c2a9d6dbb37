/** Remotion's own command line, as its documentation has it: the project bundled once, then a command for each still. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchCell } from './campaign-cells.ts';
import { benchCompositionId } from './campaign-cells.ts';

const run = promisify(execFile);
const command = join('node_modules', '.bin', 'remotion');

/** The plain project, without anything of ours. Resolves with the bundle's folder. */
export const bundleByCli = async (folder: string): Promise<string> => {
  const bundle = join(folder, 'plain-bundle');
  await run(command, [
    'bundle',
    'remotion/index.ts',
    `--out-dir=${bundle}`,
    '--public-dir=remotion/public',
    '--rspack',
    '--log=error',
  ]);
  return bundle;
};

export const renderByCli = async (
  { variant, size }: BenchCell,
  options: { readonly bundle: string; readonly browserExecutable: string; readonly output: string },
): Promise<void> => {
  await run(command, [
    'still',
    options.bundle,
    benchCompositionId,
    options.output,
    `--props=${JSON.stringify(variant.props)}`,
    `--width=${size.width}`,
    `--height=${size.height}`,
    `--browser-executable=${options.browserExecutable}`,
    '--chrome-mode=headless-shell',
    '--image-format=png',
    '--log=error',
  ]);
};
