import { expect, it } from 'vitest';
import { childEnvironment } from '../../../../src/platform/renderer/child-entry.ts';
import { chooseSlot, type SlotState } from '../../../../src/platform/renderer/local/pool/choose-slot.ts';
import { judgeRender } from '../../../../src/platform/renderer/local/watchdog.ts';

/** `a` is the organization that asks, from bundle 1; `a2` is the same one's bundle 2. */
const slot = (name: string | null, busy: boolean, usedMs: number): SlotState => ({
  tenant: name === null ? null : { organizationId: name.charAt(0), bundlePath: `/${name.charAt(1) || 1}` },
  busy,
  usedMs,
});

it.each<[string, SlotState[], number | null]>([
  ['its own warm browser', [slot(null, false, 0), slot('a', false, 5)], 1],
  ['an empty slot, while its own is busy', [slot('a', true, 5), slot(null, false, 0)], 1],
  [
    'an empty slot rather than the browser of its other bundle',
    [slot('a2', false, 9), slot(null, false, 0)],
    1,
  ],
  ["an empty slot rather than another one's", [slot('b', false, 1), slot(null, false, 9)], 1],
  ['the slot that was idle for longest', [slot('b', false, 7), slot('c', false, 3)], 1],
  ['no slot while all are busy', [slot('a', true, 1), slot('b', true, 2)], null],
])('an organization gets %s', (_, slots, expected) => {
  expect(chooseSlot(slots, { organizationId: 'a', bundlePath: '/1' })).toBe(expected);
});

it('keeps secrets out of the environment of a child', () => {
  const environment = childEnvironment(
    {
      PATH: '/bin',
      LANG: 'C',
      DATABASE_URL: 'postgres://secret',
      AWS_SECRET_ACCESS_KEY: 'secret',
      HOME: '/root',
    },
    '/scratch/child-1',
  );
  expect(environment).toEqual({
    PATH: '/bin',
    LANG: 'C',
    HOME: '/scratch/child-1',
    TMPDIR: '/scratch/child-1',
  });
});

const limits = { maxRenderMs: 60_000, stallMs: 10_000, memoryLimitMb: 500 };
const well = { elapsedMs: 5, sinceProgressMs: 5, memoryMb: 5, browser: 'alive' } as const;

it.each([
  [well, null],
  [{ ...well, browser: 'none' }, null],
  [{ ...well, browser: 'gone' }, 'browser_lost'],
  [{ ...well, memoryMb: 501 }, 'render_out_of_memory'],
  [{ ...well, sinceProgressMs: 10_000 }, 'render_stalled'],
  [{ ...well, elapsedMs: 60_000, sinceProgressMs: 60_000 }, 'render_timeout'],
] as const)('the watchdog judges %j', (signs, code) => {
  expect(judgeRender(signs, limits)?.code ?? null).toBe(code);
});
