import { readFile } from 'node:fs/promises';
import { SourceMap } from 'node:module';
import { basename, join } from 'node:path';

/** A place in the bundle, as Remotion attaches it to errors from the page. */
interface BundleFrame {
  readonly fileName: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
}

const isBundleFrame = (value: unknown): value is BundleFrame =>
  typeof value === 'object' &&
  value !== null &&
  'fileName' in value &&
  'lineNumber' in value &&
  'columnNumber' in value &&
  typeof value.fileName === 'string' &&
  typeof value.lineNumber === 'number' &&
  typeof value.columnNumber === 'number';

const framesAt = (error: object, key: 'delayRenderCall' | 'stackFrame'): readonly BundleFrame[] => {
  const frames: unknown = Reflect.get(error, key);
  return Array.isArray(frames) ? frames.filter(isBundleFrame) : [];
};

const readSourceMap = async (bundlePath: string, fileName: string): Promise<SourceMap | null> => {
  const name = basename(fileName.replace(/[?#].*$/s, ''));
  if (!name.endsWith('.js')) return null;
  const text = await readFile(join(bundlePath, `${name}.map`), 'utf8').catch(() => null);
  return text === null ? null : new SourceMap(JSON.parse(text));
};

const isTenantCode = (source: string): boolean =>
  !/node_modules|webpack\/|rspack\/|renderer\/bundle\/entry\/|^external /.test(source);

/** What the debugger told counts from 0; what was read from the text of a stack, and stands there still, from 1. */
const firstNumberOf = (frame: BundleFrame, error: object): 0 | 1 => {
  const stack: unknown = Reflect.get(error, 'stack');
  const text = `${frame.fileName}:${frame.lineNumber}:${frame.columnNumber}`;
  return typeof stack === 'string' && stack.includes(text) ? 1 : 0;
};

/** `./src/price.tsx:12`, or null when the bundle has no source map or the error never passed through the tenant's code. */
export const findThrownAt = async (error: unknown, bundlePath: string): Promise<string | null> => {
  if (typeof error !== 'object' || error === null) return null;
  const frames = [...framesAt(error, 'delayRenderCall'), ...framesAt(error, 'stackFrame')];
  const maps = new Map<string, SourceMap | null>();
  for (const frame of frames) {
    const { fileName, lineNumber, columnNumber } = frame;
    const first = firstNumberOf(frame, error);
    if (!maps.has(fileName)) maps.set(fileName, await readSourceMap(bundlePath, fileName));
    const origin = maps.get(fileName)?.findEntry(lineNumber - first, columnNumber - first);
    if (origin === undefined || !('originalSource' in origin)) continue;
    if (isTenantCode(origin.originalSource)) return `${origin.originalSource}:${origin.originalLine + 1}`;
  }
  return null;
};
