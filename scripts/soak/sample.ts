/** One look at a service at work, from outside. */
import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { lineFigures } from '../../src/domain/exports/line-figures.ts';
import type { Database } from '../../src/platform/db/client.ts';
import { readProcessTable } from '../../src/platform/renderer/local/processes/process-table.ts';
import { treeOf } from '../../src/platform/renderer/local/processes/process-tree.ts';
import { countTemporaryFolders, filesBelow, type SoakFolders } from './check-files.ts';
import type { MemorySample } from './memory-slope.ts';
import { type ServiceProcess, withRole } from './processes.ts';

export interface SoakSample extends MemorySample {
  /** Proportional set size of everything but Postgres. */
  readonly memoryMb: number;
  /** Resident size of the first process of each tree: API with dispatcher and a worker; the other worker. */
  readonly apiMb: number;
  readonly workerMb: number;
  readonly browsers: number;
  readonly processes: number;
  /** Of Node processes. */
  readonly files: number;
  readonly folders: number;
  /** Of the folder that renders happen in. */
  readonly workMb: number;
  readonly waiting: number;
  /** Seconds. */
  readonly lag: number;
}

export interface Watched {
  readonly db: Database;
  readonly folders: SoakFolders;
  readonly apiPid: number;
  readonly workerPid: number;
}

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
};

/** Megabytes of one of the lines that /proc counts in kB. */
const megabytesOf = (text: string, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) / 1024;

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

const readMemory = (processes: readonly ServiceProcess[]) => {
  const texts = processes.map(({ pid }) => readText(`/proc/${pid}/smaps_rollup`));
  const all = (name: string) => sum(texts.map((text) => megabytesOf(text, name)));
  return { memoryMb: all('Pss'), heldMb: all('Pss_Anon') + all('Pss_Shmem') };
};

const residentMb = (pid: number): number => megabytesOf(readText(`/proc/${pid}/status`), 'VmRSS');

const openFiles = ({ pid }: ServiceProcess): number => {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
};

const megabytesBelow = async (directory: string): Promise<number> => {
  const paths = await filesBelow(directory);
  const sizes = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        (found) => found.size,
        () => 0,
      ),
    ),
  );
  return sum(sizes) / 1024 / 1024;
};

/** Renders at work, of each kind, as a word; a group of stills is one, and so is each chunk of a video. */
const readLoad = async (db: Database): Promise<string> => {
  const { rows } = await sql<{ stills: number; videos: number }>`
    SELECT count(DISTINCT coalesce(group_id, id)) FILTER (WHERE kind = 'still')::int AS stills,
      (count(*) FILTER (WHERE kind = 'video' AND chunks IS NULL)
        + (SELECT count(*) FROM render_chunk WHERE status = 'started'))::int AS videos
    FROM export WHERE status = 'started'`.execute(db);
  return `${rows[0]?.stills ?? 0} stills, ${rows[0]?.videos ?? 0} videos`;
};

export const readProcesses = ({ apiPid, workerPid }: Pick<Watched, 'apiPid' | 'workerPid'>) => {
  const table = readProcessTable();
  return [apiPid, workerPid].flatMap((pid) => treeOf(table, pid)).map(withRole);
};

/** `atMs`: since the begin of the run. */
export const takeSample = async (watched: Watched, atMs: number): Promise<SoakSample> => {
  const processes = readProcesses(watched).filter(({ role }) => role !== 'postgres');
  const lines = await lineFigures(watched.db, new Date());
  return {
    atMs,
    load: await readLoad(watched.db),
    ...readMemory(processes),
    apiMb: residentMb(watched.apiPid),
    workerMb: residentMb(watched.workerPid),
    browsers: processes.filter(({ role }) => role === 'browser').length,
    processes: processes.length,
    files: sum(processes.filter(({ role }) => role === 'node').map(openFiles)),
    folders: await countTemporaryFolders(watched.folders),
    workMb: await megabytesBelow(join(watched.folders.home, 'work')),
    waiting: sum(lines.map(({ waiting }) => waiting)),
    lag: Math.max(0, ...lines.map(({ oldestSeconds }) => oldestSeconds)),
  };
};
