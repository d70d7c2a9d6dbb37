import { expect, test } from 'vitest';
import { createShardRoom } from '../../../src/features/delivery/shard-room.ts';

const roomOf = (batchSize: number, waiting = () => 0) => {
  let calls = 0;
  const room = createShardRoom({
    batchSize,
    waiting,
    onRoom: () => {
      calls += 1;
    },
  });
  return { ...room, calls: () => calls };
};

test('of a sink of batches one shard is worked on, and the next beside it where a batch was full', () => {
  const { room, begin, calls } = roomOf(500);
  expect(room()).toBe(1);
  const first = begin();
  expect(room()).toBe(0);
  first.claimed(500);
  expect(calls()).toBe(1);
  expect(room()).toBe(1);
  const second = begin();
  second.claimed(20);
  expect(room()).toBe(0);
  first.ended();
  second.ended();
  expect(room()).toBe(1);
});

test('of a sink of batches that takes long the next shard begins beside it', async () => {
  const { room, begin } = roomOf(500);
  const { claimed, ended } = begin();
  claimed(1);
  await expect.poll(room, { timeout: 20_000 }).toBe(1);
  ended();
});

test('of a sink of single calls a few shards begin, and no more while calls wait for others', () => {
  let waiting = 0;
  const { room, begin } = roomOf(1, () => waiting);
  expect(room()).toBe(4);
  const rounds = [begin(), begin(), begin(), begin()];
  expect(room()).toBe(0);
  for (const round of rounds) round.claimed(100);
  waiting = 300;
  expect(room()).toBe(0);
  waiting = 0;
  expect(room()).toBe(4);
  for (const round of rounds) round.ended();
});

test('a round that failed before it knew what was due leaves no trace', () => {
  const { room, begin, calls } = roomOf(1);
  begin().ended();
  expect(room()).toBe(4);
  expect(calls()).toBeGreaterThan(0);
});

test('never more than sixteen shards at once', () => {
  const { room, begin } = roomOf(1);
  for (let n = 0; n < 16; n += 1) begin().claimed(1);
  expect(room()).toBe(0);
});
