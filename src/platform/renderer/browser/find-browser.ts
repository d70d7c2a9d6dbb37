import { RendermillError } from '../../../core/errors.ts';
import { readBrowserVersion } from './browser-version.ts';
import { defaultDownloadDirectory, findDownloadedBrowser } from './downloaded-browser.ts';
import { resolveProgram } from './resolve-program.ts';

export interface FoundBrowser {
  /** The program itself, never a script that starts it. */
  readonly path: string;
  readonly source: 'configured' | 'system' | 'downloaded';
  /** As the browser tells it: `Chromium 156.0.8078.79`. */
  readonly version?: string;
}

export interface FindBrowserOptions {
  /** BROWSER_EXECUTABLE. When set, nothing else is tried. */
  readonly explicitPath?: string;
  readonly systemPaths?: readonly string[];
  readonly downloadDirectory?: string;
}

/** Headless shells first: they start faster and draw alike everywhere. */
const knownPaths = [
  '/usr/lib/chromium/chromium-headless-shell',
  '/usr/lib64/chromium-browser/headless_shell',
  '/opt/chrome-headless-shell/chrome-headless-shell',
  '/usr/local/bin/chrome-headless-shell',
  '/usr/bin/chrome-headless-shell',
  '/usr/lib/chromium/chromium',
  '/usr/lib/chromium-browser/chromium-browser',
  '/usr/lib64/chromium-browser/chromium-browser',
  '/opt/google/chrome/chrome',
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

const howToInstall =
  'Install one (Debian: apt-get install chromium-headless-shell), name one in BROWSER_EXECUTABLE, or run scripts/setup.';

const missing = (problem: string): RendermillError =>
  new RendermillError('invalid_configuration', { message: `${problem} ${howToInstall}` });

const describe = async (path: string, source: FoundBrowser['source']): Promise<FoundBrowser> => {
  const version = await readBrowserVersion(path);
  return version === null ? { path, source } : { path, source, version };
};

const findConfigured = async (path: string): Promise<FoundBrowser> => {
  const program = await resolveProgram(path);
  if (program !== null) return describe(program, 'configured');
  throw missing(
    `BROWSER_EXECUTABLE is "${path}", which is no browser program: it does not exist, may not be executed, or is a script whose browser was not found.`,
  );
};

/** Of several kinds of browser the first in this order: the configured one, one on the system, the one that Remotion downloaded. */
export const findBrowser = async (options: FindBrowserOptions = {}): Promise<FoundBrowser> => {
  if (options.explicitPath !== undefined) return findConfigured(options.explicitPath);
  for (const path of options.systemPaths ?? knownPaths) {
    const program = await resolveProgram(path);
    if (program !== null) return describe(program, 'system');
  }
  const downloaded = await findDownloadedBrowser(options.downloadDirectory ?? defaultDownloadDirectory());
  if (downloaded !== null) return describe(downloaded, 'downloaded');
  throw missing('No browser was found.');
};
