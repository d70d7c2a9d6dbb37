import { readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { join } from 'node:path';

interface PageFrame {
  readonly fileName: string | null;
  /** Zero-based, both. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

const isOwnCode = (source: string): boolean =>
  !source.includes('node_modules') && !source.includes('webpack/');

/** The line of the project's own code that an error of the page comes from, as `src/index.tsx:3`; null when none is found. */
export const locateInSource = async (error: Error, bundlePath: string): Promise<string | null> => {
  const { stackFrame = [] } = error as { stackFrame?: readonly PageFrame[] | null } & Error;
  const text = await readFile(join(bundlePath, 'bundle.js.map'), 'utf8').catch(() => null);
  if (text === null || stackFrame === null) return null;
  const map = new SourceMap(JSON.parse(text));
  for (const { fileName, lineNumber, columnNumber } of stackFrame) {
    if (!fileName?.endsWith('/bundle.js')) continue;
    const entry = map.findEntry(lineNumber, columnNumber);
    if ('originalSource' in entry && isOwnCode(entry.originalSource)) {
      return `${entry.originalSource.replace(/^\.\//, '')}:${entry.originalLine + 1}`;
    }
  }
  return null;
};
