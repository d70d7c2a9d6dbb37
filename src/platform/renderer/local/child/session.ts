import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBrowser } from '@remotion/renderer';
import { type EgressGuard, startEgressGuard } from '../../egress/guard.ts';
import type { ChildSettings } from '../messages.ts';
import { captureViewportOnly } from './capture-viewport.ts';
import { pickPagePort } from './page-port.ts';
import { privateContexts } from './private-context.ts';

/** A healthy browser answers within a few milliseconds, a busy machine's a little later. */
const answerMs = 1_000;

type Browser = Awaited<ReturnType<typeof openBrowser>>;

/** One browser behind one guard, for one organization; lives as long as its process. */
export interface Session {
  readonly browser: Browser;
  readonly guard: EgressGuard;
  readonly pagePort: number;
  /** Before each render; what it returns, after it. */
  enterContext(): Promise<() => Promise<void>>;
  /** Whether the browser itself takes commands, whatever its pages do. */
  answers(): Promise<boolean>;
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
  captureViewportOnly(browser);
  return {
    browser,
    guard,
    pagePort,
    enterContext: privateContexts(browser),
    answers: async () =>
      Promise.race([
        browser.connection.send('Target.setDiscoverTargets', { discover: true }).then(() => true),
        sleep(answerMs, false, { ref: false }),
      ]).catch(() => false),
    close: async () => {
      await browser.close({ silent: true });
      await guard.close();
    },
  };
};
