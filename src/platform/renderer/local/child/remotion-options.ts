import type { BrowserLog, CancelSignal } from '@remotion/renderer';
import type { ChildSettings } from '../messages.ts';
import type { Session } from './session.ts';

export interface CallHooks {
  readonly cancelSignal: CancelSignal;
  /** Throws when Remotion may not download this. */
  readonly checkMediaSource: (source: string) => void;
  /** Something moved that progress does not show. */
  readonly onAlive: () => void;
  /** The browser could not load this address. */
  readonly onFailedUrl: (url: string) => void;
}

const bytesPerMb = 1024 * 1024;

/** What every call of Remotion is given. A missing `browserExecutable` would make it download one. */
export const commonOptions = (
  session: Session,
  spec: { readonly bundlePath: string; readonly inputProps: Readonly<Record<string, unknown>> },
  settings: ChildSettings,
  hooks: CallHooks,
) => ({
  serveUrl: spec.bundlePath,
  inputProps: { ...spec.inputProps },
  puppeteerInstance: session.browser,
  browserExecutable: session.guard.browserExecutable,
  chromeMode: 'headless-shell' as const,
  port: session.pagePort,
  timeoutInMilliseconds: settings.delayRenderTimeoutMs,
  offthreadVideoCacheSizeInBytes: settings.mediaCacheMb * bytesPerMb,
  mediaCacheSizeInBytes: settings.mediaCacheMb * bytesPerMb,
  logLevel: 'error' as const,
  onBrowserLog: ({ text, stackTrace }: BrowserLog) => {
    const url = stackTrace[0]?.url;
    if (text.startsWith('Failed to load resource') && url) hooks.onFailedUrl(url);
  },
});

/** Called before each download, and what it returns while it goes on: it can take longer than a stall, so it counts as life. */
export const onDownload = (source: string, hooks: CallHooks) => {
  hooks.checkMediaSource(source);
  return hooks.onAlive;
};
