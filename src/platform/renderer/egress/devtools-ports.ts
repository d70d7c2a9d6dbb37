import type { ChildProcess } from 'node:child_process';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

export interface DevtoolsPorts {
  has(port: number): boolean;
  stop(): void;
}

const announcement = /DevTools listening on ws:\/\/[^/\s]+:(\d+)\//;

/** The first announcement only: it comes before any page is open, so no page can fake it. */
const readAnnouncedPort = (browser: ChildProcess, onPort: (port: number) => void): void => {
  let text = '';
  const read = (chunk: Buffer): void => {
    text += chunk.toString('utf8');
    const port = announcement.exec(text)?.[1];
    if (port === undefined) return;
    browser.stderr?.off('data', read);
    onPort(Number(port));
  };
  browser.stderr?.on('data', read);
};

/**
 * The ports at which our own browsers take commands, learned as Remotion learns them: from what each browser prints when it
 * starts. A port is forgotten when its browser ends, before another program may get it.
 */
export const learnDevtoolsPorts = (browserExecutable: string): DevtoolsPorts => {
  const ports = new Set<number>();
  const onProcess = (message: unknown): void => {
    const browser = (message as { process: ChildProcess }).process;
    // Its arguments are set after this message. No output can be lost meanwhile.
    process.nextTick(() => {
      if (!browser.spawnargs?.includes(browserExecutable)) return;
      readAnnouncedPort(browser, (port) => {
        ports.add(port);
        browser.once('exit', () => ports.delete(port));
      });
    });
  };
  subscribe('child_process', onProcess);
  return { has: (port) => ports.has(port), stop: () => void unsubscribe('child_process', onProcess) };
};
