import { RendermillError } from '../../../core/errors.ts';
import { type FindBrowserOptions, type FoundBrowser, findBrowser } from './find-browser.ts';

const isMissing = (error: unknown): boolean =>
  error instanceof RendermillError && error.code === 'invalid_configuration';

/** Remotion's tested version, into its own folder in node_modules. About 100 MB; loaded only when it is needed. */
const download = async (onProgress?: (percent: number) => void): Promise<string> => {
  const { ensureBrowser } = await import('@remotion/renderer');
  const status = await ensureBrowser({
    logLevel: 'error',
    onBrowserDownload: () => ({
      version: null,
      onProgress: ({ percent }) => onProgress?.(Math.round(percent * 100)),
    }),
  });
  if ('path' in status) return status.path;
  throw new Error(`Remotion answered ${status.type}`);
};

/** A browser that exists, downloaded if there is none. For machines without a package manager. */
export const ensureBrowserExists = async (
  options: FindBrowserOptions & { onProgress?: (percent: number) => void } = {},
): Promise<FoundBrowser> => {
  try {
    return await findBrowser(options);
  } catch (error) {
    if (!isMissing(error) || options.explicitPath !== undefined) throw error;
  }
  try {
    return { path: await download(options.onProgress), source: 'downloaded' };
  } catch (cause) {
    throw new RendermillError('invalid_configuration', {
      message:
        'No browser was found and Remotion could not download its own. Is this machine connected to the internet?',
      cause,
    });
  }
};
