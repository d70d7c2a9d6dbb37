import { tmpdir } from 'node:os';
import { openBrowser } from '@remotion/renderer';
import { type EgressGuard, startEgressGuard } from '../../egress/guard.ts';
import type { ChildSettings } from '../messages.ts';
import { pickPagePort } from './page-port.ts';

type Browser = Awaited<ReturnType<typeof openBrowser>>;

/** One browser behind one guard, for one organization; lives as long as its process. */
export interface Session {
  readonly browser: Browser;
  readonly guard: EgressGuard;
  readonly pagePort: number;
  close(): Promise<void>;
}

/** The guard comes first: no browser of ours ever runs without it. */
export const openSession = async (settings: ChildSettings): Promise<Session> => {
  const pagePort = await pickPagePort();
  const guard = await startEgressGuard({
    allowedHosts: settings.allowedHosts,
    browserExecutable: settings.browserExecutable,
    pageServerPort: pagePort,
    directory: tmpdir(),
  });
  const browser = await openBrowser('chrome', {
    browserExecutable: guard.browserExecutable,
    chromeMode: 'headless-shell',
    logLevel: 'error',
  });
  return {
    browser,
    guard,
    pagePort,
    close: async () => {
      await browser.close({ silent: true });
      await guard.close();
    },
  };
};
