import { readdir, rm } from 'node:fs/promises';
import { VERSION } from 'remotion/version';
import { describe, expect, it, vi } from 'vitest';
import { rendererVersion } from '../../../../src/platform/renderer/renderer-version.ts';
import { aloneOf, renderAlone, renderTogether, type StillsOrder, stillsSpecOf } from './stills-bench.ts';
import { type Bench, browserExecutable, openBenches, openWorkshop, rejectionOf } from './support.ts';

// Each renders many pictures twice, or waits for deadlines.
vi.setConfig({ testTimeout: 120_000 });

const workshop = await openWorkshop();
const { open, share } = openBenches(workshop, { slots: 2 });

const picture = /^320x180 [0-9a-f]+$/;
const goodOnes = (count: number) =>
  Array.from({ length: count }, (_, frame) => ({ inputProps: { title: `good ${frame}` }, frame }));

/** Every second item has a fault, and the last is well. */
const between = (faults: readonly string[]): StillsOrder => ({
  compositionId: 'faulty',
  items: goodOnes(faults.length + 1).flatMap((good, index) => {
    const fault = faults[index];
    return fault === undefined ? [good] : [good, { inputProps: { fault }, frame: 3 }];
  }),
});

/** All faults together against each alone, and the others against themselves without any. */
const expectOwnFailures = async (own: Bench, faults: readonly string[]): Promise<void> => {
  const spec = stillsSpecOf(workshop, between(faults));
  const good = stillsSpecOf(workshop, { compositionId: 'faulty', items: goodOnes(faults.length + 1) });
  const alone = faults.map((_, index) => renderAlone(own, aloneOf(spec, 2 * index + 1)));
  const [together, undisturbed, failures] = await Promise.all([
    renderTogether(own, spec),
    renderTogether(own, good),
    Promise.all(alone),
  ]);
  expect(together.filter((_, index) => index % 2 === 1)).toEqual(failures);
  for (const failure of failures) expect(failure).not.toMatch(picture);
  expect(together.filter((_, index) => index % 2 === 0)).toEqual(undisturbed);
  for (const seen of undisturbed) expect(seen).toMatch(picture);
};

it('what a picture does after its turn, or when it is taken away, harms no other', async () => {
  const own = await share();
  const wild = [{ inputProps: { fault: 'departing' } }, { inputProps: { fault: 'straying' } }];
  const items = [...wild, ...goodOnes(3), ...wild, ...goodOnes(3)];
  const seen = await renderTogether(own, stillsSpecOf(workshop, { compositionId: 'faulty', items }));
  for (const one of seen) expect(one).toMatch(picture);
  expect(seen.slice(7)).toEqual(seen.slice(2, 5));
});

describe('what one picture does wrong fails it as its own render would, and no other:', () => {
  it('what it throws', async () => {
    await expectOwnFailures(await share(), [
      'throw in render',
      'throw in an effect',
      'throw in a timer',
      'unhandled rejection',
      'throw of a text',
      'cancelRender',
      'cancelRender in a timer',
      'throwing calculateMetadata',
      'impossible metadata',
    ]);
  });

  it('what it misses', async () => {
    await expectOwnFailures(await share(), [
      'missing image',
      'missing video',
      'missing video of @remotion/media',
      'missing font',
      'blocked request',
    ]);
  });

  it('a frame or a composition that is not there', async () => {
    const own = await share();
    const items = [{ frame: 29 }, { frame: 30 }, { frame: -31 }, { frame: -30 }];
    const seen = await renderTogether(own, stillsSpecOf(workshop, { compositionId: 'faulty', items }));
    expect(seen).toEqual([
      expect.stringMatching(picture),
      'frame_out_of_range: Frame 30 lies outside the composition, which has the frames 0 to 29.',
      'frame_out_of_range: Frame -31 lies outside the composition, which has the frames 0 to 29.',
      expect.stringMatching(picture),
    ]);
    const nowhere = stillsSpecOf(workshop, { compositionId: 'nope', items: [{}, {}] });
    const alone = await renderAlone(own, aloneOf(nowhere, 0));
    expect(alone).toMatch(/^composition_not_found: There is no composition "nope"/);
    expect(await renderTogether(own, nowhere)).toEqual([alone, alone]);
  });

  it('the time that it takes', async () => {
    const own = await share();
    // Neither the start of a browser nor the first picture counts.
    await renderTogether(own, stillsSpecOf(workshop, { compositionId: 'faulty', items: [{}, {}] }));
    const slow = { inputProps: { fault: 'delayRender() never continued' } };
    const spec = stillsSpecOf(workshop, { compositionId: 'faulty', items: [{}, slow, {}] });
    const hurried = await renderTogether(own, { ...spec, maxStillMs: 4_000 });
    expect(hurried[1]).toBe('render_timeout: The render took longer than the 4 seconds that are allowed.');
    expect([hurried[0], hurried[2]]).toEqual([expect.stringMatching(picture), hurried[0]]);
  });

  it('where it hangs', async () => {
    const own = await open({ slots: 4 });
    // Each is waited for, and those of an order one after another: two orders side by side.
    await Promise.all([
      expectOwnFailures(own, ['delayRender() never continued', 'page that goes elsewhere']),
      expectOwnFailures(own, ['hanging calculateMetadata', 'endless loop']),
    ]);
  });

  it('the memory that it eats', async () => {
    // On a busy machine the meal takes a while.
    const own = await open({ memoryLimitMb: 900, delayRenderTimeoutMs: 30_000 });
    const spec = stillsSpecOf(workshop, {
      compositionId: 'faulty',
      items: [{}, { inputProps: { fault: 'hunger' } }, {}],
    });
    const seen = await renderTogether(own, spec);
    expect(seen[1]).toMatch(
      /^render_out_of_memory: The render needed \d+ MB of memory; 900 MB are allowed\.$/,
    );
    expect([seen[0], seen[2]]).toEqual([expect.stringMatching(picture), seen[0]]);
  });
});

describe('a SIGKILL', () => {
  it.each([
    ['browser', (own: Bench) => own.browsers(), 'browser_lost'],
    ['page', (own: Bench) => own.census.find('--type=renderer'), null],
    ['child', (own: Bench) => own.census.find('child/entry'), 'render_crashed'],
  ] as const)('of the %s costs one picture at most', async (_, find, code) => {
    const own = await open();
    const spec = stillsSpecOf(workshop, { compositionId: 'slow', items: goodOnes(20) });
    let killed = false;
    const seen = await renderTogether(own, spec, async ({ index }) => {
      if (index !== 3) return;
      for (const { pid } of await find(own)) process.kill(pid, 'SIGKILL');
      killed = true;
    });
    expect(killed).toBe(true);
    const failures = seen.filter((one) => !picture.test(String(one)));
    expect(failures.length).toBeLessThanOrEqual(code === 'render_crashed' ? 2 : 1);
    if (code !== null) for (const failure of failures) expect(failure).toMatch(code);
  });
});

describe('canceled stills', () => {
  it('leave nothing of what nobody was told of, soon', async () => {
    const own = await open();
    const abort = new AbortController();
    const spec = stillsSpecOf(workshop, { compositionId: 'slow', items: goodOnes(50) });
    const told: number[] = [];
    let abortedMs = 0;
    const ended = own.renderer.renderStills(spec, {
      signal: abort.signal,
      onOutcome: ({ index }) => {
        told.push(index);
        if (told.length !== 4) return;
        abortedMs = performance.now();
        abort.abort();
      },
    });
    expect((await rejectionOf(ended)).code).toBe('render_canceled');
    expect(performance.now() - abortedMs).toBeLessThan(5_000);
    expect(told).toEqual([0, 1, 2, 3]);
    const kept = told.map((index) => spec.items[index]?.outputPath);
    expect((await readdir(workshop.outputs)).map((name) => `${workshop.outputs}/${name}`)).toEqual(kept);
    for (const path of kept) await rm(String(path));
  });

  it('never begin when they were canceled before, nor when the renderer is closed', async () => {
    const own = await open();
    const spec = stillsSpecOf(workshop, { compositionId: 'picture', items: [{}] });
    const options = { onOutcome: () => expect.unreachable() };
    const canceled = own.renderer.renderStills(spec, { ...options, signal: AbortSignal.abort() });
    expect((await rejectionOf(canceled)).code).toBe('render_canceled');
    await own.renderer.close();
    expect((await rejectionOf(own.renderer.renderStills(spec, options))).code).toBe('shutting_down');
  });
});

it('stay in the browser of their organization, which many of them do not wear out', async () => {
  const own = await open({ recycleAfterRenders: 3 });
  const order = (organizationId: string, count: number) =>
    renderTogether(
      own,
      stillsSpecOf(workshop, { compositionId: 'picture', organizationId, items: goodOnes(count) }),
    );
  await order('a', 25);
  const [first] = await own.browsers();
  await order('a', 25);
  expect((await own.browsers())[0]?.pid).toBe(first?.pid);
  await order('b', 1);
  expect((await own.browsers()).map(({ pid }) => pid)).not.toContain(first?.pid);
});

it('the version names Remotion, the browser and our own part', async () => {
  const version = await rendererVersion(browserExecutable);
  expect(version).toMatch(new RegExp(`^remotion-${VERSION}/.*\\d+\\.\\d+.*/\\d+$`));
  expect((await open()).renderer.version).toBe(version);
});
