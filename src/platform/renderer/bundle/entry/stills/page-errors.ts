import type { StillsPageError } from '../protocol.ts';

export interface PageErrorListener {
  /** cancelRender() was called, or a delayRender() came to its deadline, while this picture was made. */
  onCanceled(error: StillsPageError): void;
  /** Something threw outside of React; it may be left over from an earlier picture. Null: it was no Error. */
  onStray(error: StillsPageError | null): void;
}

/** Longer ones are cut on the other side, too; here it spares the way there. */
const maxTextLength = 8_000;
const cut = (text: unknown): string => String(text).slice(0, maxTextLength);

/** Null: what the debugger would say of other things than Errors is not known here. */
export const describeThrown = (thrown: unknown): StillsPageError | null =>
  thrown instanceof Error
    ? { name: cut(thrown.constructor.name), message: cut(thrown.message), stack: cut(thrown.stack) }
    : null;

/** As Remotion reads the text in which it leaves the error of a cancelled render. */
const describeCanceled = (text: string): StillsPageError => ({
  name: 'CancelledError',
  message: cut(text.split('\n')[0] ?? ''),
  stack: cut(text),
});

/** cancelRender() leaves its text first and throws afterwards; what is thrown says more. */
const thrownWithinMs = 20;

/**
 * Keeps errors outside of React from ending the page: unless its default is prevented, an error event ends the whole call, and so
 * does a text in `remotion_cancelledError`.
 */
export const interceptErrors = (listener: PageErrorListener): void => {
  let canceled: { readonly text: string; readonly timer: number } | null = null;

  const onThrown = (event: Event, thrown: unknown): void => {
    event.preventDefault();
    const error = describeThrown(thrown);
    const before = canceled;
    canceled = null;
    if (before === null) {
      listener.onStray(error);
    } else {
      window.clearTimeout(before.timer);
      listener.onCanceled(error ?? describeCanceled(before.text));
    }
  };
  window.addEventListener('error', (event) => onThrown(event, event.error));
  window.addEventListener('unhandledrejection', (event) => onThrown(event, event.reason));

  const onCanceled = (text: string): void => {
    const timer = window.setTimeout(() => {
      canceled = null;
      listener.onCanceled(describeCanceled(text));
    }, thrownWithinMs);
    canceled = { text, timer };
  };
  Object.defineProperty(window, 'remotion_cancelledError', {
    get: () => undefined,
    set: (text: string | undefined) => {
      if (text !== undefined) onCanceled(text);
    },
  });
};
