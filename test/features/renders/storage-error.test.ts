import { writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { RendermillError } from '../../../src/core/errors.ts';
import type { Export } from '../../../src/domain/exports/export.ts';
import { planNext } from '../../../src/domain/exports/feed-exports.ts';
import { createRenderProcessor } from '../../../src/features/renders/process.ts';
import type { RunRenderDeps } from '../../../src/features/renders/render-deps.ts';
import type { Renderer } from '../../../src/platform/renderer/contract.ts';
import { planBatch, squares } from '../../support/batches.ts';
import { accept, eventsOf, readExport } from '../../support/factories.ts';
import { openWorkerScene } from './worker-scene.ts';

const { db, employ } = await openWorkerScene();

const result = { width: 100, height: 100, durationSeconds: null, renderTimeMs: 12, cost: null };

const renderer: Renderer = {
  mode: 'local',
  version: 'renderer-1',
  render: async (spec) => {
    await writeFile(spec.outputPath, 'a picture');
    return result;
  },
  renderStills: async ({ items }, { onOutcome }) => {
    for (const [index, { outputPath }] of items.entries()) {
      await writeFile(outputPath, `picture ${index}`);
      onOutcome({ index, type: 'rendered', result });
    }
  },
  close: async () => undefined,
};

/** A worker whose storage takes nothing while `broken` has an error. */
const setUp = async (broken: { error: Error | undefined }) => {
  const { deps, who, organizationId } = await employ(renderer);
  const { storage } = deps;
  const failing: RunRenderDeps = {
    ...deps,
    storage: {
      ...storage,
      putFile: (key, path) => (broken.error ? Promise.reject(broken.error) : storage.putFile(key, path)),
    },
  };
  const run = (data: Record<string, string | number>) =>
    createRenderProcessor(failing)({
      id: 'a job',
      name: 'render',
      data,
      attemptsMade: 0,
      attemptsAllowed: 10,
      signal: new AbortController().signal,
    });
  return { who, organizationId, run };
};
const dataOf = ({ id, epoch }: Export) => ({ exportId: id, epoch });
const errorsOf = async (organizationId: string) =>
  (await eventsOf(db, organizationId)).filter((event) => event.event_name === 'storage_error');

describe('a storage that does not take a finished file', () => {
  test.each([
    ['is full', new RendermillError('disk_full'), 'disk_full'],
    ['has a fault', Object.assign(new Error('input/output error'), { code: 'EIO' }), 'EIO'],
    ['says nothing', new Error('a secret in a sentence'), 'internal'],
  ])('because it %s is told of, and the attempt fails as before', async (_name, error, code) => {
    const { who, organizationId, run } = await setUp({ error });
    const row = await accept(db, who);
    await expect(run(dataOf(row))).rejects.toThrow();
    expect((await errorsOf(organizationId)).map((event) => event.properties)).toEqual([
      { operation: 'write', error_code: code, job_id: row.id },
    ]);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'queued', failed_attempts: 1 });
  });

  test('is told of once for each attempt, and no more once it takes files again', async () => {
    const broken: { error: Error | undefined } = { error: new RendermillError('disk_full') };
    const { who, organizationId, run } = await setUp(broken);
    const row = await accept(db, who);
    for (const _attempt of [1, 2]) await expect(run(dataOf(row))).rejects.toThrow();
    broken.error = undefined;
    await run(dataOf(row));
    expect(await errorsOf(organizationId)).toHaveLength(2);
    expect(await readExport(db, row.id)).toMatchObject({ status: 'completed' });
    const completed = (await eventsOf(db, organizationId)).find(
      (event) => event.event_name === 'processing_completed',
    );
    expect(completed?.properties).toMatchObject({ attempt: 3, retry_count: 2 });
  });

  test('is told of for each cell of a group', async () => {
    const { who, organizationId, run } = await setUp({ error: new RendermillError('disk_full') });
    const { cells } = await planBatch(db, who, { variants: 3, sizes: squares(1) });
    const planned = (await planNext(db, { mode: 'local', inFlight: 1_000, slots: 1 }, new Date())) ?? [];
    const groupId = planned.find((one) => cells.some((cell) => cell.id === one.id))?.groupId;
    await run({ groupId: groupId ?? '' });
    const told = (await errorsOf(organizationId)).map((event) => event.properties.job_id);
    expect(told.toSorted()).toEqual(cells.map((cell) => cell.id).toSorted());
  });
});
