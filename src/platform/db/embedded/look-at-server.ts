import { realpath } from 'node:fs/promises';
import pg from 'pg';
import { type PostmasterFile, readPostmasterFile } from './postmaster-file.ts';
import { type ServerProcess, serverProcess } from './process-state.ts';

/** What a data folder and the process named in it tell, before anyone connects. */
export type ServerView =
  /** No server; a file left by a process that is gone is Postgres' own to remove, since it first looks for orphaned backends. */
  | { readonly type: 'absent' }
  /** The file names a process that is not the server: Postgres would refuse to start for as long as that one lives. */
  | { readonly type: 'stale'; readonly file: PostmasterFile }
  /** Starting, recovering or stopping. */
  | { readonly type: 'busy'; readonly pid: number }
  | {
      readonly type: 'ready';
      readonly pid: number;
      readonly port: number;
      readonly certain: boolean;
      readonly file: PostmasterFile;
    };

export const lookAtServer = async (dataDirectory: string): Promise<ServerView> => {
  const file = await readPostmasterFile(dataDirectory);
  return file ? viewOf(file, await serverProcess(file.pid, dataDirectory)) : { type: 'absent' };
};

export const viewOf = (file: PostmasterFile, state: ServerProcess): ServerView => {
  if (state === 'gone') return { type: 'absent' };
  if (state === 'zombie' || state === 'other') return { type: 'stale', file };
  const { pid, port, status } = file;
  if (status !== 'ready' || port === undefined) return { type: 'busy', pid };
  return { type: 'ready', pid, port, certain: state === 'ours', file };
};

export type Answer = 'same' | 'other' | 'wrong_password' | 'refused' | 'not_yet';

export const serverUrl = (port: number, password: string): string =>
  `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;

/** Whether the server at the address is the one of the data folder. */
export const askServer = async (url: string, dataDirectory: string): Promise<Answer> => {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: 2_000,
    query_timeout: 2_000,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ data_directory: string }>('show data_directory');
    const answered = await realpath(rows[0]?.data_directory ?? '').catch(() => '');
    return answered === dataDirectory ? 'same' : 'other';
  } catch (error) {
    return answerOf(error as { code?: string });
  } finally {
    await client.end().catch(() => undefined);
  }
};

const answerOf = ({ code }: { code?: string }): Answer => {
  if (code === '28P01') return 'wrong_password';
  return code === 'ECONNREFUSED' ? 'refused' : 'not_yet';
};
