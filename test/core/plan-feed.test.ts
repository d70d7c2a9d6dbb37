import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { groupSize, type InFlight, maxGroup, planFeed, type WaitingWork } from '../../src/core/plan-feed.ts';

const waiting = (organizationId: string, count: number, given: Partial<WaitingWork> = {}): WaitingWork[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `${organizationId}-${given.groupKey ?? 'alone'}-${given.setbacks ?? 0}-${String(index).padStart(4, '0')}`,
    kind: 'export',
    organizationId,
    tier: 'unlimited',
    isInteractive: false,
    createdAt: new Date(1_000),
    groupKey: null,
    setbacks: 0,
    ...given,
  }));

interface Given {
  room?: number;
  express?: number;
  slots?: number;
  inFlight?: [string, number, Partial<InFlight>?][];
  cap?: number;
}

const planJobs = (lines: WaitingWork[], given: Given = {}) =>
  planFeed({
    waiting: lines,
    inFlight: (given.inFlight ?? []).map(([organizationId, jobs, more]) => ({
      organizationId,
      jobs,
      tier: 'unlimited',
      isInteractive: false,
      ...more,
    })),
    capOf: (_organization, tier) => (tier === 'free' ? (given.cap ?? null) : null),
    room: given.room ?? 10,
    express: given.express ?? 0,
    slots: given.slots ?? 2,
  });

const plan = (lines: WaitingWork[], given: Given = {}) => planJobs(lines, given).map((job) => job.ids);

describe('the size of a group', () => {
  test.each([
    ['many waiting', 1_000, 2, 0, maxGroup],
    ['a share of what is left', 60, 2, 0, 30],
    ['a smaller one the less is left', 24, 2, 0, 12],
    ['never so few that a page does not pay', 3, 2, 0, 8],
    ['smaller for more slots', 100, 10, 0, 10],
    ['careful after a setback', 1_000, 2, 1, 8],
    ['alone after two', 1_000, 2, 2, 1],
    ['no slot at all counts as one', 10, 0, 0, 10],
  ])('%s', (_what, left, slots, setbacks, expected) => {
    expect(groupSize(left, slots, setbacks)).toBe(expected);
  });
});

describe('groups', () => {
  test('are of one key only', () => {
    const jobs = plan([...waiting('a', 6, { groupKey: 'x' }), ...waiting('a', 6, { groupKey: 'y' })], {
      slots: 1,
    });
    for (const ids of jobs) expect(new Set(ids.map((id) => id.split('-')[1])).size).toBe(1);
    expect(jobs.flat()).toHaveLength(12);
  });

  test('are of exports with the same setbacks, so that a poisonous one is soon alone', () => {
    const jobs = plan([
      ...waiting('a', 3, { groupKey: 'x', setbacks: 2 }),
      ...waiting('a', 10, { groupKey: 'x', setbacks: 1 }),
      ...waiting('a', 10, { groupKey: 'x' }),
    ]);
    expect(jobs.slice(0, 3).map((ids) => ids.length)).toEqual([1, 1, 1]);
    for (const ids of jobs) expect(new Set(ids.map((id) => id.split('-')[2])).size).toBe(1);
    expect(jobs.flat()).toHaveLength(23);
  });

  test('shrink towards the end', () => {
    const sizes = plan(waiting('a', 120, { groupKey: 'x' }), { room: 100 }).map((ids) => ids.length);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    expect(sizes[0]).toBe(50);
    expect(sizes.at(-1)).toBeLessThanOrEqual(12);
  });

  test('leave no crumbs that would need a page of their own', () => {
    const sizes = plan(waiting('a', 17, { groupKey: 'x' }), { slots: 2 }).map((ids) => ids.length);
    expect(sizes).toEqual([9, 8]);
    expect(plan(waiting('a', 11, { groupKey: 'x' }), { slots: 2 }).map((ids) => ids.length)).toEqual([11]);
  });

  test('are made even of one that may share a page: it is cheaper there than alone', () => {
    const jobs = (groupKey: string | null, setbacks: number) =>
      planJobs(waiting('a', 1, { groupKey, setbacks }), { room: 1, slots: 1 });
    expect(jobs('x', 0)).toMatchObject([{ isGroup: true }]);
    expect(jobs(null, 0)).toMatchObject([{ isGroup: false }]);
    expect(jobs('x', 2)).toMatchObject([{ isGroup: false }]);
  });

  test('are not made of what has no key', () => {
    expect(plan(waiting('a', 4)).map((ids) => ids.length)).toEqual([1, 1, 1, 1]);
  });
});

describe('fairness', () => {
  test("thousands of one do not hold up another's single one", () => {
    const jobs = plan([...waiting('big', 5_000, { groupKey: 'x' }), ...waiting('small', 1)], { room: 2 });
    expect(jobs.flat().some((id) => id.startsWith('small'))).toBe(true);
  });

  test('who has the fewest in flight comes first', () => {
    const jobs = plan([...waiting('a', 5), ...waiting('b', 5)], { room: 3, inFlight: [['a', 2]] });
    expect(jobs.flat().map((id) => id[0])).toEqual(['b', 'b', 'a']);
  });

  test('of as many in flight the oldest comes first', () => {
    const older = waiting('b', 1, { createdAt: new Date(1) });
    expect(plan([...waiting('a', 1), ...older], { room: 1 }).flat()[0]).toMatch(/^b/);
  });
});

describe('the express lane', () => {
  test('is for the first job of an organization, though there is no room left', () => {
    const lines = [...waiting('big', 5), ...waiting('small', 3)];
    const jobs = plan(lines, { room: 0, express: 2, inFlight: [['big', 8]] });
    expect(jobs.flat()).toEqual(['small-alone-0-0000']);
  });

  test("is for an organization's first interactive one, whatever of its batches is in flight", () => {
    const lines = [...waiting('a', 5, { isInteractive: true }), ...waiting('b', 1)];
    const jobs = plan(lines, {
      room: 0,
      express: 4,
      inFlight: [
        ['a', 8],
        ['b', 1],
      ],
    });
    expect(jobs.flat()).toEqual(['a-alone-0-0000']);
  });

  test('is no wider than it is said to be', () => {
    const lines = ['a', 'b', 'c', 'd'].flatMap((name) => waiting(name, 1));
    expect(plan(lines, { room: 1, express: 2 })).toHaveLength(3);
  });
});

describe('the priority in the queue', () => {
  const prioritiesOf = (lines: WaitingWork[], given: Given = {}) =>
    planJobs(lines, given).map((job) => [job.ids[0]?.split('-')[0], job.priority]);

  test('puts the first of one organization before the later ones of another', () => {
    const lines = [...waiting('a', 3), ...waiting('b', 1)];
    expect(prioritiesOf(lines, { inFlight: [['a', 4]] })).toEqual([
      ['b', 0],
      ['a', 9],
      ['a', 11],
      ['a', 13],
    ]);
  });

  test('puts interactive ones before all that belongs to batches of their organization', () => {
    const lines = [...waiting('a', 1, { isInteractive: true }), ...waiting('a', 1, { groupKey: 'x' })];
    expect(prioritiesOf(lines, { inFlight: [['a', 7]] })).toEqual([
      ['a', 0],
      ['a', 17],
    ]);
  });

  test('puts the first of a batch beside the first ones of others: it is not behind all that is interactive', () => {
    const lines = [...waiting('a', 1, { isInteractive: true }), ...waiting('b', 1)];
    expect(prioritiesOf(lines)).toEqual([
      ['a', 0],
      ['b', 0],
    ]);
  });

  test('is one that a queue takes, however much is in flight', () => {
    const [[, priority] = []] = prioritiesOf(waiting('a', 1), { inFlight: [['a', 5_000_000]] });
    expect(priority).toBeLessThan(2_097_151);
  });
});

describe('the cap of a tier', () => {
  test('holds back what is beyond it, with what is in flight, and lets other tiers pass', () => {
    const lines = [
      ...waiting('a', 5, { tier: 'free' }),
      ...waiting('a', 2, { groupKey: null, tier: 'pro' }),
    ].map((one, index) => ({ ...one, id: `${one.tier}-${index}` }));
    const jobs = plan(lines, { cap: 3, inFlight: [['a', 1, { tier: 'free' }]] });
    expect(jobs.flat()).toEqual(['free-0', 'free-1', 'pro-5', 'pro-6']);
  });

  test("is each organization's own", () => {
    const lines = ['a', 'b'].flatMap((name) => waiting(name, 3, { tier: 'free' }));
    const jobs = plan(lines, { cap: 1 });
    expect(jobs.flat().map((id) => id[0])).toEqual(['a', 'b']);
  });

  test('holds in the express lane, too', () => {
    const lines = waiting('a', 1, { tier: 'free', isInteractive: true });
    const jobs = plan(lines, { cap: 2, room: 0, express: 5, inFlight: [['a', 2, { tier: 'free' }]] });
    expect(jobs).toEqual([]);
  });
});

test('whatever waits: no more jobs than there is room, nobody twice, groups of one kind', () => {
  const one = fc.record({
    organizationId: fc.constantFrom('a', 'b', 'c'),
    groupKey: fc.constantFrom(null, 'x', 'y'),
    setbacks: fc.integer({ min: 0, max: 3 }),
  });
  fc.assert(
    fc.property(
      fc.array(one, { maxLength: 120 }),
      fc.nat(20),
      fc.integer({ min: 1, max: 8 }),
      (given, room, slots) => {
        const lines = given.map(
          (each, index): WaitingWork => ({
            ...each,
            kind: 'export',
            tier: 'unlimited',
            isInteractive: false,
            id: `e${index}`,
            createdAt: new Date(index),
          }),
        );
        const byId = new Map(lines.map((each) => [each.id, each]));
        const jobs = plan(lines, { room, slots });
        expect(jobs.length).toBeLessThanOrEqual(room);
        expect(new Set(jobs.flat()).size).toBe(jobs.flat().length);
        for (const ids of jobs) {
          expect(ids.length).toBeGreaterThan(0);
          expect(ids.length).toBeLessThanOrEqual(maxGroup);
          const kinds = ids.map((id) => {
            const { organizationId, groupKey, setbacks } = byId.get(id) ?? {};
            return `${organizationId}/${groupKey}/${setbacks}`;
          });
          expect(new Set(kinds).size).toBe(1);
          if (byId.get(ids[0] ?? '')?.groupKey === null) expect(ids).toHaveLength(1);
        }
        if (jobs.length < room) expect(jobs.flat()).toHaveLength(lines.length);
      },
    ),
  );
});
