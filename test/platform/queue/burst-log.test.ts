import { pino } from 'pino';
import { expect, test } from 'vitest';
import { burstLog } from '../../../src/platform/queue/burst-log.ts';

test('of a burst of errors the first is logged, and the next line after a minute counts the others', () => {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ base: null }, { write: (line) => lines.push(JSON.parse(line)) });
  let now = 1_000_000;
  const report = burstLog(log, 'trouble', () => now);
  for (let index = 0; index < 100; index += 1)
    report(Object.assign(new Error('lost'), { command: 'a script', client: {} }));
  now += 59_999;
  report(new Error('still lost'));
  now += 1;
  report(new Error('lost again'));
  expect(lines.map(({ msg, unlogged, err }) => ({ msg, unlogged, err }))).toMatchObject([
    { msg: 'trouble', unlogged: 0, err: { message: 'lost' } },
    { msg: 'trouble', unlogged: 100, err: { message: 'lost again' } },
  ]);
  expect(lines[0]).not.toHaveProperty('err.command');
  expect(lines[0]).not.toHaveProperty('err.client');
});
