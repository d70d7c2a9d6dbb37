/**
 * Many stills in one page are, byte for byte, the pictures that Remotion's selectComposition() and renderStill() make of each. The page
 * plays both on itself with functions of Remotion's own page; with another version of Remotion, this is where it shows.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compile } from '../../src/platform/renderer/bundle/compile.ts';
import {
  aloneOf,
  renderAlone,
  renderTogether,
  type StillsOrder,
  stillsSpecOf,
} from '../platform/renderer/local/stills-bench.ts';
import { type Bench, openBench, openWorkshop, type Workshop } from '../platform/renderer/local/support.ts';

// Two bundles, a clip, and each picture twice.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let workshop: Workshop;
let examples: string;
let bench: Bench;

const project = fileURLToPath(new URL('../../remotion/', import.meta.url));

beforeAll(async () => {
  workshop = await openWorkshop();
  examples = join(workshop.directory, 'examples');
  await mkdir(examples);
  await compile({
    projectPath: project,
    entryPoint: join(project, 'index.ts'),
    outputDirectory: examples,
  });
  // One for the pictures together, one for those alone.
  bench = await openBench(workshop, { slots: 2 });
  await bench.render('picture', {
    output: { kind: 'video', format: 'mp4' },
    outputPath: join(workshop.bundlePath, 'public', 'clip.mp4'),
  });
});

afterAll(async () => {
  await bench.close();
  await workshop.remove();
});

/** All pictures together against some of them alone: every one but the first has had others in its page before. */
const expectIdentical = async (order: StillsOrder, alone: readonly number[]): Promise<void> => {
  const spec = stillsSpecOf(workshop, order);
  const [together, apart] = await Promise.all([
    renderTogether(bench, spec),
    (async () => {
      const seen: unknown[] = [];
      for (const index of alone) seen.push(await renderAlone(bench, aloneOf(spec, index)));
      return seen;
    })(),
  ]);
  expect(alone.map((index) => together[index])).toEqual(apart);
  for (const seen of together) expect(seen).toMatch(/^\d+x\d+ /);
};

const scenes = ['Design it once', 'صمّمها مرة واحدة', '一度デザイン'].map((headline) => ({ headline }));

describe('the example', () => {
  it.each<[string, StillsOrder, readonly number[]]>([
    [
      'hero ad as a square png',
      {
        compositionId: 'example-hero-ad',
        width: 1080,
        height: 1080,
        items: [
          { inputProps: { headline: 'ضوء هادئ' }, frame: 50 },
          { inputProps: { headline: '静かな光', palette: 'dusk' }, frame: -1 },
          { inputProps: { headline: 'Тихий свет' }, frame: 149 },
          { inputProps: {}, frame: 50 },
        ],
      },
      [1, 3],
    ],
    [
      'hero ad as a banner in webp',
      {
        compositionId: 'example-hero-ad',
        width: 728,
        height: 90,
        format: 'webp',
        items: [{ frame: 3 }, { inputProps: { headline: 'Licht, das bleibt' }, frame: 12 }],
      },
      [1],
    ],
    [
      'hero ad as a skyscraper in jpeg of a quality and a scale',
      {
        compositionId: 'example-hero-ad',
        width: 160,
        height: 600,
        format: 'jpeg',
        quality: 62,
        scale: 1.5,
        items: [{ frame: 0 }, { frame: 77 }],
      },
      [0, 1],
    ],
    [
      'product card, which is a Still, in four locales',
      {
        compositionId: 'product-card',
        width: 600,
        height: 750,
        items: ['en-US', 'de-DE', 'ar-EG', 'ja-JP'].map((locale) => ({
          inputProps: { locale, price: 1299.5 },
        })),
      },
      [2, 3],
    ],
    [
      'promo video, whose length depends on its props',
      {
        compositionId: 'promo-video',
        width: 960,
        height: 540,
        format: 'jpeg',
        items: [
          { frame: 20 },
          { inputProps: { scenes }, frame: 100 },
          { inputProps: { durationInSeconds: 12 }, frame: -1 },
        ],
      },
      [1, 2],
    ],
  ])('%s', async (_, order, alone) => {
    await expectIdentical({ ...order, bundlePath: examples }, alone);
  });
});

const lamp = { title: 'lamp', day: new Date('2026-05-06T07:08:09.000Z') };
const chair = {
  title: 'chair',
  day: new Date(0),
  days: [new Date('2026-01-01T00:00:00.000Z')],
  seconds: 3,
};
const foreign = {
  title: 'ランプ',
  day: new Date('2000-01-01T00:00:00.000Z'),
  nothing: null,
  zero: -0,
  3: 'three',
};

describe('what a project may do in a picture', () => {
  it('by zod 4, calculateMetadata, state, data, fonts, images, chance and the whole of its configuration', () =>
    expectIdentical(
      {
        compositionId: 'looks',
        width: 640,
        height: 480,
        items: [
          { inputProps: lamp, frame: 10 },
          { inputProps: chair, frame: 47 },
          { inputProps: foreign, frame: -1 },
          { frame: 0 },
        ],
      },
      [1, 2, 3],
    ));

  it('by zod 3', () =>
    expectIdentical(
      {
        compositionId: 'looks-zod3',
        width: 320,
        height: 480,
        items: [
          { inputProps: lamp, frame: 30 },
          { inputProps: chair, frame: 59 },
        ],
      },
      [1],
    ));

  it('without a schema, as a Still', () =>
    expectIdentical(
      {
        compositionId: 'card',
        width: 301,
        height: 251,
        items: [{ inputProps: lamp }, { inputProps: foreign }],
      },
      [1],
    ));

  it('by a lazy component', () =>
    expectIdentical(
      {
        compositionId: 'lazy',
        items: [
          { inputProps: { title: 'a' }, frame: 4 },
          { inputProps: { title: 'b' }, frame: 21 },
        ],
      },
      [0, 1],
    ));

  it.each(['offthread', 'html5', 'media'])('by a video (%s) and sounds', (kind) =>
    expectIdentical(
      { compositionId: 'media', items: [3, 25, 14].map((frame) => ({ inputProps: { kind }, frame })) },
      [1, 2],
    ),
  );
});

it('is not the same for a project that keeps state outside of its components, which a check against the render alone shows', async () => {
  const spec = stillsSpecOf(workshop, { compositionId: 'counter', items: [{}, {}] });
  const together = await renderTogether(bench, spec);
  const [first, second] = [
    await renderAlone(bench, aloneOf(spec, 0)),
    await renderAlone(bench, aloneOf(spec, 1)),
  ];
  expect(first).toBe(second);
  expect(together[0]).toBe(first);
  expect(together[1]).not.toBe(second);
});
