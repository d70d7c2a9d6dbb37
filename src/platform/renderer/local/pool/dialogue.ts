import type { ChildProcess } from 'node:child_process';
import { RendermillError } from '../../../../core/errors.ts';
import type { RenderProgress, RenderResult, RenderSpec } from '../../contract.ts';
import { type ChildSettings, type FromChild, fromWire, type ToChild } from '../messages.ts';

export interface RenderRequest {
  readonly spec: RenderSpec;
  readonly settings: ChildSettings;
  /** Null: alive, though nothing that progress shows. */
  readonly onProgress: (progress: RenderProgress | null) => void;
}

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

/** Has the child render, and waits for its answer or its end. */
export const ask = (
  child: ChildProcess,
  request: RenderRequest,
  lastWords: () => string,
): Promise<RenderResult> =>
  new Promise((resolve, reject) => {
    const settle = (conclude: () => void): void => {
      child.off('exit', onExit);
      child.off('message', onMessage);
      conclude();
    };
    const onExit = (): void => settle(() => reject(crashed(child, lastWords())));
    const onMessage = (message: FromChild): void => {
      if (message.type === 'progress') request.onProgress(message.progress);
      if (message.type === 'alive') request.onProgress(null);
      if (message.type === 'done') settle(() => resolve(message.result));
      if (message.type === 'failed') settle(() => reject(fromWire(message.error)));
    };
    if (hasExited(child)) return onExit();
    child.on('exit', onExit);
    child.on('message', onMessage);
    tell(child, { type: 'render', spec: request.spec, settings: request.settings });
  });
