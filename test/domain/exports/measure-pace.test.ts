import { sql } from 'kysely';
import { afterAll, expect, test } from 'vitest';
import { measureFrameCost } from '../../../src/domain/exports/chunks/measure-frame-cost.ts';
import { measurePace } from '../../../src/domain/exports/measure-pace.ts';
import {
  accept,
  acceptAndStart,
  complete,
  createOrganization,
  createUser,
  openTestDatabase,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const square = { width: 1_000, height: 1_000 };

/** More that wait than anybody looks at, all younger than what was rendered. */
const fillLine = async (id: string): Promise<void> => {
  await sql`INSERT INTO export
    SELECT (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid(), 'created_at', created_at + n * interval '1 second'))).*
    FROM export e, generate_series(1, 2500) AS n WHERE e.id = ${id}`.execute(db);
};

test('what was rendered is found however much waits since', async () => {
  const who = await createUser(db, await createOrganization(db), { tier: 'unlimited' });
  const video = { kind: 'video', format: 'mp4' } as const;
  for (const _ of times(5, () => 0)) {
    const still = await acceptAndStart(db, who);
    await complete(db, still.fence, { ...square, renderTimeMs: 300 });
    const moving = await acceptAndStart(db, who, video);
    await complete(db, moving.fence, { ...square, durationSeconds: 2, renderTimeMs: 6_000 });
  }
  const waiting = await accept(db, who);
  await fillLine(waiting.id);
  const { organization_id: organizationId, composition_id: compositionId } = waiting;
  const asked = { organizationId, compositionId, kind: 'still', format: 'png', renderMode: 'local' } as const;
  expect(await measurePace(db, asked)).toEqual({ exports: 5, renderMs: 1_500, cost: 0, work: 5 });
  expect(await measurePace(db, { ...asked, ...video })).toMatchObject({ exports: 5, work: 10 });
  const row = { organization_id: organizationId, composition_id: compositionId, format: 'mp4' } as const;
  expect(await measureFrameCost(db, row, { ...square, fps: 30 })).toBeCloseTo(100);
});
