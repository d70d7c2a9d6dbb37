import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import type { RequestOutcome } from '../../../../src/core/delivery/request-outcome.ts';
import { joinEvents, packEvent, splitByBytes } from '../../../../src/features/delivery/sinks/pack-events.ts';
import { sendHalving } from '../../../../src/features/delivery/sinks/send-halving.ts';

const accepted: RequestOutcome = { type: 'accepted', status: 200, response: '' };
const rejected: RequestOutcome = { type: 'rejected', error: 'no', final: true, status: 400, response: '' };
const { signal } = new AbortController();
afterEach(() => {
  vi.useRealTimers();
});

test('for any poisonous events in any parts: they alone are refused, every other is accepted once, in order', async () => {
  const given = fc.record({
    sizes: fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 5 }),
    poison: fc.array(fc.nat(199), { maxLength: 6 }),
  });
  await fc.assert(
    fc.asyncProperty(given, async ({ sizes, poison }) => {
      let next = 0;
      const parts = sizes.map((size) => Array.from({ length: size }, () => next++));
      const taken: number[] = [];
      const verdicts = await sendHalving({
        parts,
        signal,
        send: async (items) => {
          if (items.some((item) => poison.includes(item))) return rejected;
          taken.push(...items);
          return accepted;
        },
      });
      const all = parts.flat();
      expect(taken).toEqual(all.filter((item) => !poison.includes(item)));
      expect(all.map((item) => verdicts.get(item)?.type)).toEqual(
        all.map((item) => (poison.includes(item) ? 'refused' : 'delivered')),
      );
    }),
  );
});

test('ends in time where a server refuses slowly, and still brings the refused ones nearer to their end', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const verdicts = await sendHalving({
    parts: [[0, 1, 2, 3, 4, 5, 6, 7], [8]],
    signal,
    send: async () => {
      vi.advanceTimersByTime(2_500);
      return rejected;
    },
  });
  expect(performance.now()).toBeLessThan(15_000);
  expect([...verdicts.keys()].toSorted()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(verdicts.get(0)).toMatchObject({ type: 'refused', final: false });
  expect(verdicts.get(8)).toEqual({ type: 'postponed' });
});

test('tries nothing once it is stopped', async () => {
  const send = vi.fn(async () => accepted);
  const verdicts = await sendHalving({ parts: [[1], [2]], send, signal: AbortSignal.abort() });
  expect(send).not.toHaveBeenCalled();
  expect([...verdicts.values()]).toEqual([{ type: 'postponed' }, { type: 'postponed' }]);
});

test('requests keep the order and the limit, whatever the sizes; only one that is too large alone exceeds it', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'binary', maxLength: 30 }), { maxLength: 60 }), (texts) => {
      const packed = texts.map((text, index) => packEvent(index, text));
      const requests = splitByBytes(packed, 50);
      expect(requests.flat()).toEqual(packed);
      for (const request of requests) {
        const bytes = Buffer.byteLength(joinEvents(request)) - '[]'.length;
        expect(request.length === 1 || bytes <= 50).toBe(true);
        expect(JSON.parse(joinEvents(request))).toHaveLength(request.length);
      }
    }),
  );
});
