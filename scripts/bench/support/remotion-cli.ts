/**
 * Remotion's own command line, a command for each still: as its documentation shows it, with the project's entry point, which it
 * bundles each time with a warm cache; and as an expert would use it, with a bundle that was made before.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { BenchCell } from './campaign-cells.ts';
import { benchCompositionId } from './campaign-cells.ts';

const run = promisify(execFile);
const command = join('node_modules', '.bin', 'remotion');

/** What a command renders from. */
export type CliSource = readonly string[];
export const entryPoint: CliSource = ['remotion/index.ts', '--public-dir=remotion/public'];

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
  options: { readonly source: CliSource; readonly browserExecutable: string; readonly output: string },
): Promise<void> => {
  const [from = '', ...flags] = options.source;
  await run(command, [
    'still',
    from,
    benchCompositionId,
    options.output,
    `--props=${JSON.stringify(variant.props)}`,
    `--width=${size.width}`,
    `--height=${size.height}`,
    `--browser-executable=${options.browserExecutable}`,
    '--chrome-mode=headless-shell',
    '--image-format=png',
    '--log=error',
    ...flags,
  ]);
};
