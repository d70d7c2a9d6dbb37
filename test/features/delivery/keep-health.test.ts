import pino from 'pino';
import { afterAll, expect, test } from 'vitest';
import { createHealthKeeper } from '../../../src/features/delivery/keep-health.ts';
import { createTestClock, openTestDatabase, times } from '../../support/factories.ts';
import { addSink } from './delivery-scene.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

test('a sink that is away is told of once a minute, with how often it failed', async () => {
  const clock = createTestClock();
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  await addSink(db, { id: 'a' }, clock.now());
  const onVerdicts = createHealthKeeper({ db, clock, log, disableAfterMs: null }, 'a');
  const fail = () => onVerdicts([{ type: 'unavailable', error: 'connect ECONNREFUSED' }]);
  for (const _ of times(20, () => 0)) await fail();
  expect(lines).toMatchObject([{ sink: 'a', error: 'connect ECONNREFUSED', failures: 1, untold: 0 }]);
  await onVerdicts([{ type: 'delivered' }]);
  await fail();
  expect(lines).toHaveLength(1);
  clock.advance(60_000);
  await fail();
  expect(lines.slice(1)).toMatchObject([{ failures: 2, untold: 20 }]);
});
