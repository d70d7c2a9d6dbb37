/**
 * A ZIP of a campaign through the HTTP API, beside Info-ZIP's `zip -0` of the same files: megabytes a second, and by how much the
 * API's memory rises above what it was. The API is a process of its own, with its real database and storage; both sides send to a
 * sink that throws everything away (zip to /dev/null, the fastest that it knows). They are measured in turn, round by round, so
 * that a busy machine is busy for both; the figures are medians.
 *
 *   npm run bench:zip -- --files 1000 --megabytes 2000 --rounds 5
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { newId } from '../../src/core/ids.ts';
import { createApiKey } from '../../src/domain/accounts/api-keys.ts';
import { ensureOrganization } from '../../src/domain/accounts/organizations.ts';
import { nameProject } from '../../src/domain/accounts/projects.ts';
import { setTier } from '../../src/domain/accounts/users.ts';
import { type Database, openDatabase } from '../../src/platform/db/client.ts';
import { startEmbeddedPostgres } from '../../src/platform/db/embedded/embedded-postgres.ts';
import { migrateDatabase } from '../../src/platform/db/migrate.ts';
import { createLogger } from '../../src/platform/log/log.ts';

const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '1000' },
    megabytes: { type: 'string', default: '2000' },
    rounds: { type: 'string', default: '5' },
  },
});
const files = Number(values.files);
const rounds = Number(values.rounds);
const fileBytes = Math.floor((Number(values.megabytes) * 1e6) / files);
const organizationId = 'bench';
const log = createLogger({ level: 'warn' });
const command = fileURLToPath(new URL('../rendermill', import.meta.url));

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;
const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));

/** A closed campaign whose files lie in storage; resolves with its id. */
const seed = async (db: Database, storage: string): Promise<string> => {
  const now = new Date();
  const batchId = newId(now);
  const common = {
    organization_id: organizationId,
    user_id: 'bench',
    project_id: 'bench',
    kind: 'still',
    format: 'png',
    render_mode: 'local',
    composition_id: 'bench',
    version: '0011223344556677',
    created_at: now,
    updated_at: now,
  } as const;
  await db
    .insertInto('batch')
    .values({
      ...common,
      id: batchId,
      job_type: 'campaign',
      campaign_id: null,
      run: 1,
      template: '{}',
      sizes: JSON.stringify([{ name: 'square', width: 1080, height: 1080, device: 'phone' }]),
      variant_count: files,
      reuse: true,
      report: null,
    })
    .execute();
  const charged = {
    tier: 'unlimited',
    charged_day: now.toISOString().slice(0, 10),
    charged_hour: 0,
  } as const;
  await db
    .insertInto('batch_run')
    .values({
      ...charged,
      batch_id: batchId,
      run: 1,
      status: 'completed',
      total: files,
      planned: files,
      succeeded: files,
      credits_per_cell: 0,
      created_at: now,
      updated_at: now,
      closed_at: now,
    })
    .execute();
  const content = randomBytes(fileBytes);
  for (let position = 0; position < files; position += 1) {
    // Different from every other file, without asking for two gigabytes of randomness.
    randomBytes(Math.min(fileBytes, 65_536)).copy(content);
    const exportId = newId(now);
    const storageKey = `artifacts/${organizationId}/${exportId}/1-1.png`;
    const path = join(storage, storageKey);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    await db
      .insertInto('batch_variant')
      .values({
        batch_id: batchId,
        position,
        name: `product ${position}`,
        locale: 'de-DE',
        props: '{}',
        line: null,
      })
      .execute();
    await db
      .insertInto('export')
      .values({
        ...common,
        ...charged,
        id: exportId,
        batch_id: batchId,
        run: 1,
        variant: position,
        size: 0,
        status: 'completed',
        request: JSON.stringify({ props: {} }),
        completed_at: now,
      })
      .execute();
    await db
      .insertInto('artifact')
      .values({
        file_id: newId(now),
        organization_id: organizationId,
        export_id: exportId,
        storage_key: storageKey,
        size_in_bytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
        media_type: 'image/png',
        width: 1080,
        height: 1080,
        duration_seconds: null,
        created_at: now,
      })
      .execute();
  }
  return batchId;
};

const startApi = async (
  environment: Record<string, string>,
): Promise<{ url: string; process: ChildProcess }> => {
  const { REDIS_URL: _redis, STORAGE_DIRECTORY: _storage, ...inherited } = process.env;
  const child = spawn(command, ['api'], {
    env: { ...inherited, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the API ended with code ${code} before it listened`)));
    createInterface({ input: child.stderr }).on('line', (line) => {
      const found = /"url":"(http:[^"]+)"/.exec(line)?.[1];
      if (found !== undefined) resolve(found);
      if (/"level":[4-9]\d/.test(line)) console.error(line);
    });
  });
  return { url, process: child };
};

/** Bytes that came. */
const download = (url: string, key: string): Promise<number> =>
  new Promise((resolve, reject) => {
    get(url, { headers: { authorization: `Bearer ${key}` } }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('error', reject);
      response.on('end', () =>
        response.statusCode === 200 && String(bytes) === response.headers['content-length']
          ? resolve(bytes)
          : reject(new Error(`the download ended with ${response.statusCode} and ${bytes} bytes`)),
      );
    }).on('error', reject);
  });

const infoZip = async (folder: string): Promise<void> => {
  const child = spawn('sh', ['-c', 'exec zip -0 -q -r - . > /dev/null'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`zip ended with code ${code}. Is it installed?`);
};

/** From /proc; the peak counts from its last reset. */
const memoryOf = async (pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]) / 1024;
};
const resetPeak = (pid: number): Promise<void> => writeFile(`/proc/${pid}/clear_refs`, '5');

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

const measure = async (
  api: { url: string; process: ChildProcess },
  batchId: string,
  key: string,
  storage: string,
) => {
  const pid = api.process.pid ?? 0;
  const found = { ours: [] as number[], zip: [] as number[], ratios: [] as number[], rises: [] as number[] };
  for (let round = 1; round <= rounds; round += 1) {
    const zip = await seconds(() => infoZip(storage));
    await resetPeak(pid);
    const before = await memoryOf(pid, 'VmRSS');
    const url = `${api.url}/api/export/zip?campaignId=${batchId}&manifest=true`;
    const ours = await seconds(() => download(url, key));
    const rise = (await memoryOf(pid, 'VmHWM')) - before;
    const speed = (time: number) => (files * fileBytes) / 1e6 / time;
    found.ours.push(speed(ours));
    found.zip.push(speed(zip));
    found.ratios.push(zip / ours);
    found.rises.push(rise);
    console.log(
      `round ${round}: ${Math.round(speed(ours))} MB/s, zip -0 ${Math.round(speed(zip))} MB/s; memory ${Math.round(before)} MiB and ${rise.toFixed(1)} MiB more at its peak`,
    );
  }
  return found;
};

const main = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'rendermill-bench-zip-'));
  const storage = join(folder, 'storage');
  const postgres = await startEmbeddedPostgres({ directory: join(folder, 'postgres'), log });
  let api: { url: string; process: ChildProcess } | undefined;
  try {
    await migrateDatabase(postgres.url, log);
    const { db, close } = openDatabase({ url: postgres.url, log });
    const { key } = await db.transaction().execute(async (tx) => {
      await ensureOrganization(tx, { id: organizationId });
      await setTier(tx, organizationId, 'bench', 'unlimited', new Date());
      await nameProject(tx, { organizationId, projectId: 'bench' }, 'bench', new Date());
      return createApiKey(tx, { organizationId, kind: 'secret', name: 'bench' });
    });
    console.log(`${files} files of ${(fileBytes / 1e6).toFixed(2)} MB of random bytes`);
    const batchId = await seed(db, storage);
    await close();
    api = await startApi({ DATABASE_URL: postgres.url, RENDERMILL_HOME: folder, STORAGE_DIRECTORY: storage });
    const found = await measure(api, batchId, key, storage);
    const result = {
      mbPerSecond: Math.round(median(found.ours)),
      vsZip: rounded(median(found.ratios), 2),
      // The worst of the rounds, the first of a fresh process included.
      peakRiseMb: rounded((Math.max(...found.rises) * 1024 * 1024) / 1e6, 1),
    };
    console.log(
      `medians of ${rounds} rounds: ${result.mbPerSecond} MB/s, ${result.vsZip} times zip -0 (${Math.round(median(found.zip))} MB/s); memory rose by ${result.peakRiseMb} MB at most`,
    );
    console.log(JSON.stringify(result));
  } finally {
    if (api?.process.exitCode === null) {
      const exited = once(api.process, 'exit');
      api.process.kill('SIGTERM');
      await exited;
    }
    await postgres.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

await main();
