import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/platform/clock/clock.ts';
import { startWakeableLoop } from '../../../src/platform/clock/wakeable-loop.ts';

const never = 3_600_000;

/** Rounds that end when they are told to. */
const heldRounds = () => {
  const open: (() => void)[] = [];
  let running = 0;
  let most = 0;
  return {
    round: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => open.push(resolve));
      running -= 1;
    },
    endOne: async () => {
      open.shift()?.();
      await setImmediate();
    },
    isRunning: () => running > 0,
    mostAtOnce: () => most,
  };
};

describe('a loop', () => {
  test('runs at once, and again when it is woken', async () => {
    let rounds = 0;
    const loop = startWakeableLoop({
      everyMs: never,
      round: async () => void rounds++,
      onError: () => undefined,
    });
    expect(rounds).toBe(1);
    await setImmediate();
    loop.wake();
    expect(rounds).toBe(2);
    await loop.stop();
  });

  test('runs from time to time without being woken', async () => {
    let rounds = 0;
    const loop = startWakeableLoop({
      everyMs: 5,
      round: async () => void rounds++,
      onError: () => undefined,
    });
    await expect.poll(() => rounds).toBeGreaterThan(3);
    await loop.stop();
  });

  test('never runs twice at once; however often it is woken meanwhile, one more round follows', async () => {
    const held = heldRounds();
    let rounds = 0;
    const round = async () => {
      rounds += 1;
      await held.round();
    };
    const loop = startWakeableLoop({ everyMs: never, round, onError: () => undefined });
    for (let call = 0; call < 5; call++) loop.wake();
    expect(rounds).toBe(1);
    await held.endOne();
    expect(rounds).toBe(2);
    await held.endOne();
    expect(rounds).toBe(2);
    expect(held.mostAtOnce()).toBe(1);
    await loop.stop();
  });

  test('goes on after a round that failed, and tells of it', async () => {
    const errors: unknown[] = [];
    let rounds = 0;
    const failing = async () => {
      rounds += 1;
      throw new Error(`round ${rounds}`);
    };
    const loop = startWakeableLoop({
      everyMs: never,
      round: failing,
      onError: (error) => errors.push(error),
    });
    await setImmediate();
    loop.wake();
    await setImmediate();
    expect(errors).toMatchObject([{ message: 'round 1' }, { message: 'round 2' }]);
    await loop.stop();
  });

  test('stops when the running round has ended, runs no more, and may be stopped twice', async () => {
    const held = heldRounds();
    const loop = startWakeableLoop({ everyMs: 1, round: held.round, onError: () => undefined });
    loop.wake();
    let stopped = false;
    const stopping = Promise.all([loop.stop(), loop.stop()]).then(() => {
      stopped = true;
    });
    await setImmediate();
    expect(stopped).toBe(false);
    await held.endOne();
    await stopping;
    loop.wake();
    await setImmediate();
    expect(held.isRunning()).toBe(false);
  });
});

test('the clock of the system tells the time', () => {
  expect(Math.abs(systemClock.now().getTime() - Date.now())).toBeLessThan(1000);
});
