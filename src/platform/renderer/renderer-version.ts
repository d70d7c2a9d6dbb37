import { readBrowserVersion } from './browser/browser-version.ts';
import { ownRemotionVersion } from './bundle/installed-version.ts';

/** Raise it with every change of ours that may change a pixel or a byte of an output: flags of the browser, qualities, sizes. */
const revision = 2;

/**
 * What decides about an output beside the bundle and the order: `remotion-4.0.527/Chromium 156.0.8078.79/1`. A browser that does not
 * tell its version makes one that no other process has, so that nothing is taken for the same that may not be.
 */
export const rendererVersion = async (browserExecutable: string): Promise<string> => {
  const [remotion, browser] = await Promise.all([
    ownRemotionVersion(),
    readBrowserVersion(browserExecutable),
  ]);
  return `remotion-${remotion}/${browser ?? `unknown-${process.pid}-${Date.now()}`}/${revision}`;
};
