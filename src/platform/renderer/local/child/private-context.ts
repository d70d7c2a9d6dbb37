import type { openBrowser } from '@remotion/renderer';

type Browser = Awaited<ReturnType<typeof openBrowser>>;

/** Remotion's list of the browser's commands leaves these out. */
type Send = (method: string, parameters?: Readonly<Record<string, unknown>>) => Promise<{ value: unknown }>;

const contextIdOf = (value: unknown): string => {
  const id: unknown =
    typeof value === 'object' && value !== null ? Reflect.get(value, 'browserContextId') : null;
  if (typeof id !== 'string') throw new Error('The browser opened no context.');
  return id;
};

/**
 * Gives every render a browser context of its own: storage, cookies, caches and service workers, all gone when it is left, together
 * with whatever pages are still open in it. Remotion opens its pages in the one context that all renders of a browser share and has
 * no option for another, so its command is amended on the way.
 */
export const privateContexts = (browser: Browser): (() => Promise<() => Promise<void>>) => {
  const send = browser.connection.send.bind(browser.connection) as Send;
  let current: string | null = null;
  const amended: Send = (method, parameters) =>
    method === 'Target.createTarget' && current !== null
      ? send(method, { ...parameters, browserContextId: current })
      : send(method, parameters);
  browser.connection.send = amended as typeof browser.connection.send;
  return async () => {
    const { value } = await send('Target.createBrowserContext');
    const browserContextId = contextIdOf(value);
    current = browserContextId;
    return async () => {
      current = null;
      await send('Target.disposeBrowserContext', { browserContextId });
    };
  };
};
