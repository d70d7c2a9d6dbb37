/** A render through a running service, from the request to the file on this disk. */
import { resolve } from 'node:path';
import { ApiError } from '../../client/api-error.ts';
import type { Client } from '../../client/client.ts';
import type { ExportRecord, RenderOrder, WatchMessage } from '../../client/types.ts';
import { extensionOf } from '../../core/output.ts';
import { ExitCode } from './exit-code.ts';
import { createProgressBar } from './progress-bar.ts';
import type { Terminal } from './terminal.ts';

export interface FollowOptions {
  readonly output?: string;
  readonly idempotencyKey?: string;
  readonly json?: boolean;
}

/** 128 and the number of SIGINT. */
const interrupted = 130;

/** Ctrl-C cancels the render and waits for its end; the second one stops waiting. */
export const followRender = async (
  client: Client,
  order: RenderOrder,
  options: FollowOptions,
  terminal: Terminal,
): Promise<void> => {
  const tell = (message: object) => {
    if (options.json) terminal.print(JSON.stringify(message));
  };
  const { idempotencyKey } = options;
  const accepted = await client.render(order, idempotencyKey === undefined ? {} : { idempotencyKey });
  tell({ type: 'accepted', ...accepted });

  const record = await watchToEnd(client, accepted.id, terminal, options.json ? tell : undefined);
  if (record.status === 'canceled') {
    tell({ type: 'canceled', export: record });
    terminal.note(`Canceled ${record.id}.`);
    throw new ExitCode(interrupted);
  }
  if (record.file === null) throw failure(record);
  const path = resolve(options.output ?? nameOf(record));
  const file = await client.download(record.file.fileId, path);
  if (options.json) return tell({ type: 'completed', output: path, export: record });
  const { width, height, sizeInBytes } = record.file;
  terminal.print(`${path}  ${width}x${height}, ${sizeInBytes} bytes, sha256 ${file.sha256}`);
};

const watchToEnd = async (
  client: Client,
  exportId: string,
  terminal: Terminal,
  tell: ((message: WatchMessage) => void) | undefined,
): Promise<ExportRecord> => {
  const bar = createProgressBar(tell === undefined ? terminal.draw : null);
  const watching = new AbortController();
  let canceling = false;
  let refusal: unknown;
  const off = terminal.onInterrupt(() => {
    if (watching.signal.aborted) return;
    if (canceling) return watching.abort(new ExitCode(interrupted));
    canceling = true;
    bar.clear();
    terminal.note(`Canceling ${exportId}. Ctrl-C again to leave at once.`);
    client.cancel(exportId).catch((error: unknown) => {
      // It ended before the word arrived: then its end is what we are watching for anyway.
      if (error instanceof ApiError && error.code === 'export_finished') return;
      refusal = error;
      watching.abort();
    });
  });
  try {
    for await (const message of client.watch(exportId, { signal: watching.signal })) {
      bar.show(message);
      tell?.(message);
    }
    return await client.get(exportId);
  } catch (error) {
    throw refusal ?? (watching.signal.aborted ? watching.signal.reason : error);
  } finally {
    off();
    bar.clear();
  }
};

const failure = (record: ExportRecord): Error =>
  new ApiError({
    code: record.error?.code ?? 'internal',
    status: 422,
    message: `The render failed (${record.error?.code ?? record.status}): ${record.error?.message ?? 'no reason was recorded'}`,
    details: { exportId: record.id },
  });

/** The name that the service gives it for a browser, too. */
const nameOf = (record: ExportRecord): string => {
  const name = record.compositionId
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 80);
  return `${name || 'export'}-${record.id.slice(-8)}.${extensionOf(record.format)}`;
};
