import type { ChildProcess } from 'node:child_process';
import { RendermillError } from '../../../../core/errors.ts';
import { type FromChild, fromWire, type ToChild } from '../messages.ts';

const keptOutputLength = 4_000;

/** The last words of a child, for the log; a composition may make it write any amount. */
export const keepOutput = (child: ChildProcess): (() => string) => {
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-keptOutputLength);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => text;
};

export const hasExited = (child: ChildProcess): boolean =>
  child.exitCode !== null || child.signalCode !== null;

export const onceExited = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });

/** Also when it ends without ever having been ready: the next question finds that out. */
export const onceReady = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    child.on('message', (message: FromChild) => {
      if (message.type === 'ready') resolve();
    });
    child.once('exit', () => resolve());
  });

export const tell = (child: ChildProcess, message: ToChild): void => {
  // That a child has just died is told by its exit, not by this.
  if (child.connected) child.send(message, () => undefined);
};

const crashed = (child: ChildProcess, output: string): RendermillError =>
  new RendermillError('render_crashed', {
    details: { exitCode: child.exitCode, signal: child.signalCode },
    cause: output,
  });

/** The answer in what the child says, else undefined. Called with everything that it says. */
export type Answers<T> = (news: FromChild) => { readonly answer: T } | undefined;

/** Has the child do this, and waits for its answer or its end. */
export const ask = <T>(
  child: ChildProcess,
  message: ToChild,
  listener: { readonly answerIn: Answers<T>; readonly lastWords: () => string },
): Promise<T> =>
  new Promise((resolve, reject) => {
    const settle = (conclude: () => void): void => {
      child.off('exit', onExit);
      child.off('message', onMessage);
      conclude();
    };
    const onExit = (): void => settle(() => reject(crashed(child, listener.lastWords())));
    const onMessage = (news: FromChild): void => {
      const found = listener.answerIn(news);
      if (found !== undefined) settle(() => resolve(found.answer));
      if (news.type === 'failed') settle(() => reject(fromWire(news.error)));
    };
    if (hasExited(child)) return onExit();
    child.on('exit', onExit);
    child.on('message', onMessage);
    tell(child, message);
  });
