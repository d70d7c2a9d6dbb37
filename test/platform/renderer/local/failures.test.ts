import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { RendermillError } from '../../../../src/core/errors.ts';
import type { ProcessEntry } from '../../../../src/platform/renderer/local/processes/process-table.ts';
import { countFrames } from './probe.ts';
import { type Bench, openBenches, openWorkshop, rejectionOf, still } from './support.ts';

const workshop = await openWorkshop();
const { open, share } = openBenches(workshop);

const video = { kind: 'video', format: 'mp4' } as const;
const late = { ...still, frame: 5 };

describe('a fault of the composition', () => {
  it.each([
    ['throwing', 'composition_error', 'TypeError: The price of frame 5 is missing (at '],
    ['missing-image', 'asset_missing', 'public/no-such-picture.png could not be loaded.'],
    ['missing-video', 'asset_missing', 'public/no-such-video.mp4 could not be loaded.'],
    ['missing-font', 'asset_missing', 'public/no-such-font.woff2 could not be loaded.'],
    ['outgoing', 'network_blocked', 'The composition asked for http://blocked.example/price.json'],
    ['hanging', 'delay_render_timeout', 'delayRender("loading the price list") was called'],
  ])('(%s) is told in words that its developer understands', async (compositionId, code, text) => {
    const { render, expectNothingOf } = await share();
    const error = await rejectionOf(render(compositionId, { output: late }));
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
    expect(error.message).not.toContain(workshop.directory);
    await expectNothingOf(compositionId);
  });

  it('names the line that threw', async () => {
    const error = await rejectionOf((await share()).render('throwing', { output: video }));
    expect(error.details?.thrownAt).toMatch(/failures\.tsx:10$/);
  });

  it('that is an endless loop is not tried again when its page, but not its browser, is deaf', async () => {
    const { render, expectNothingOf } = await share();
    const error = await rejectionOf(render('endless', { output: late }));
    expect([error.code, error.retryable]).toEqual(['composition_error', false]);
    expect(error.message).toContain('The page stopped answering.');
    await expectNothingOf('endless');
  });

  it('that takes for ever ends at the wall clock', async () => {
    const { render, expectNothingOf } = await share();
    const limits = { maxDurationSeconds: null, maxRenderMs: 2_000 };
    const error = await rejectionOf(render('slow', { output: video, limits }));
    expect([error.code, error.message]).toEqual([
      'render_timeout',
      'The render took longer than the 2 seconds that are allowed.',
    ]);
    await expectNothingOf('slow');
  });

  it('that is an endless loop ends as a stall', async () => {
    const { render, expectNothingOf } = await open({ stallMs: 2_500 });
    const error = await rejectionOf(render('endless', { output: video }));
    expect([error.code, error.message]).toEqual([
      'render_stalled',
      'The render made no progress for 2.5 seconds.',
    ]);
    await expectNothingOf('endless');
  });

  it('that eats memory ends at the limit', async () => {
    const { render, expectNothingOf } = await open({ memoryLimitMb: 700, delayRenderTimeoutMs: 30_000 });
    const error = await rejectionOf(render('hungry', { output: video }));
    expect(error.code).toBe('render_out_of_memory');
    expect(error.details?.memoryMb).toBeGreaterThan(700);
    await expectNothingOf('hungry');
  });
});

describe('a SIGKILL under a render', () => {
  const kill = (entries: readonly ProcessEntry[]): void => {
    const [entry] = entries.toSorted((a, b) => a.pid - b.pid);
    if (entry === undefined) throw new Error('There is nothing to kill.');
    process.kill(entry.pid, 'SIGKILL');
  };

  it.each<[string, string, (bench: Bench) => Promise<readonly ProcessEntry[]>]>([
    ['browser', 'browser_lost', ({ browsers }) => browsers()],
    ['encoder', 'render_crashed', ({ census }) => census.find('ffmpeg')],
    ['child', 'render_crashed', ({ census }) => census.find('child/entry')],
  ])('of the %s ends it within seconds, and the next render works', async (_, code, find) => {
    const own = await share();
    const { ended } = await own.startSlow();
    const killedMs = Date.now();
    kill(await find(own));
    const error = await rejectionOf(ended);
    expect([error.code, error.retryable]).toEqual([code, true]);
    expect(Date.now() - killedMs).toBeLessThan(8_000);
    await own.expectNothingOf('slow');
    await own.render('picture', { outputPath: join(workshop.directory, 'after') });
  });

  it.each([
    ['graphics process', '--type=gpu-process'],
    ['page', '--type=renderer'],
  ])('of the %s is mended by the browser or ends the render, but never hangs it', async (_, command) => {
    const own = await open({ stallMs: 5_000 });
    const { ended } = await own.startSlow();
    kill(await own.census.find(command));
    const outcome = await ended.catch((error: unknown) => error);
    if (outcome instanceof RendermillError) {
      expect(outcome.retryable).toBe(true);
      await own.expectNothingOf('slow');
    } else {
      expect(await countFrames(join(workshop.outputs, 'slow.file'))).toBe(60);
      await rm(join(workshop.outputs, 'slow.file'));
    }
  });
});

describe('a cancelled render', () => {
  it('rejects soon, when all is gone', async () => {
    const { startSlow, expectNothingOf } = await share();
    const abort = new AbortController();
    const { ended } = await startSlow({ signal: abort.signal });
    const abortedMs = Date.now();
    abort.abort();
    expect((await rejectionOf(ended)).code).toBe('render_canceled');
    expect(Date.now() - abortedMs).toBeLessThan(5_000);
    await expectNothingOf('slow');
  });

  it('does not wait for a page that hears nothing', async () => {
    const { render, expectNothingOf, census } = await share();
    const abort = new AbortController();
    const ended = render('endless', { output: late }, { signal: abort.signal });
    ended.catch(() => undefined);
    await census.until(async () => (await census.find('--type=renderer')).length > 0);
    abort.abort();
    expect((await rejectionOf(ended)).code).toBe('render_canceled');
    await expectNothingOf('endless');
  });

  it('never begins when it waits for a slot or was cancelled before', async () => {
    const { startSlow, render } = await share();
    const running = new AbortController();
    const { ended } = await startSlow({ signal: running.signal });
    const abort = new AbortController();
    const waiting = rejectionOf(render('picture', {}, { signal: abort.signal }));
    abort.abort();
    expect((await waiting).code).toBe('render_canceled');
    expect((await rejectionOf(render('picture', {}, { signal: abort.signal }))).code).toBe('render_canceled');
    running.abort();
    await rejectionOf(ended);
  });
});
