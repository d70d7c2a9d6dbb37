import { copyFile, readdir, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ChunkSpec, JoinSpec, VideoOutput } from '../../../../src/platform/renderer/contract.ts';
import type { LocalRendererOptions } from '../../../../src/platform/renderer/local/options.ts';
import { openChunkWorkshop, type Pieces, renderPieces, type ShowProps, showSpec } from './chunk-support.ts';
import { type Bench, openBench, rejectionOf, type Workshop } from './support.ts';

let workshop: Workshop;
let bench: Bench | null = null;
let pieces: Pieces;

const mp4: VideoOutput = { kind: 'video', format: 'mp4' };

beforeAll(async () => {
  workshop = await openChunkWorkshop();
  const { renderer, close } = await openBench(workshop);
  const spec = showSpec(workshop, { frames: 12, sound: 'sweep' }, mp4);
  pieces = await renderPieces(renderer, workshop, { name: 'good', spec, framesPerChunk: 6 });
  await close();
}, 60_000);

afterEach(async () => {
  await bench?.close();
  bench = null;
});

afterAll(() => workshop.remove());

const open = async (options: Partial<LocalRendererOptions> = {}): Promise<Bench> => {
  bench = await openBench(workshop, options);
  return bench;
};

const chunkOf = (props: ShowProps, limits: Parameters<typeof showSpec>[3] = {}): ChunkSpec => ({
  ...showSpec(workshop, { frames: 60, ...props }, mp4, limits),
  frames: [30, 59],
  frameRange: [0, 59],
  outputBase: join(workshop.outputs, 'chunk'),
});

const programs = ['--user-data-dir', '--type=', 'ffmpeg', 'compositor'];

/** No process that worked at it, and no file. */
const expectNothingLeft = async ({ census }: Bench): Promise<void> => {
  for (const program of programs) expect(await census.find(program)).toEqual([]);
  expect(await readdir(workshop.outputs)).toEqual([]);
};

describe('a measured video', () => {
  it('has what its composition makes of the props, and is refused as a render would be', async () => {
    const { renderer } = await open();
    const output: VideoOutput = { ...mp4, frameRange: [3, 40] };
    const props = { frames: 50, fps: 25, width: 321 };
    expect(await renderer.measureVideo({ ...showSpec(workshop, props, output), scale: 0.5 })).toEqual({
      width: 160,
      height: 90,
      fps: 25,
      frameRange: [3, 40],
      compositionFrames: 50,
    });
    const tooLong = renderer.measureVideo(showSpec(workshop, props, mp4, { maxDurationSeconds: 1 }));
    expect((await rejectionOf(tooLong)).code).toBe('duration_exceeds_tier');
  });
});

describe('a chunk', () => {
  it('fails alone where its own frames fail', async () => {
    const own = await open();
    const first = { ...chunkOf({ throwAt: 45 }), frames: [0, 5] as const };
    await own.renderer.renderChunk({ ...first, outputBase: join(workshop.directory, 'before') });
    const error = await rejectionOf(own.renderer.renderChunk(chunkOf({ throwAt: 45 })));
    expect([error.code, error.message]).toEqual([
      'composition_error',
      expect.stringContaining('There is no price for frame 45'),
    ]);
    await expectNothingLeft(own);
  });

  it('of a composition that has another length by now is refused', async () => {
    const own = await open();
    const error = await rejectionOf(own.renderer.renderChunk(chunkOf({ frames: 58 })));
    expect([error.code, error.message]).toEqual([
      'composition_error',
      expect.stringContaining('frames 0 to 59 became 0 to 57'),
    ]);
    await expectNothingLeft(own);
  });

  it('that is cancelled leaves nothing', async () => {
    const own = await open();
    const abort = new AbortController();
    let frames = 0;
    const ended = rejectionOf(
      own.renderer.renderChunk(chunkOf({ slowMs: 200 }), {
        signal: abort.signal,
        onProgress: (progress) => (frames = progress.renderedFrames),
      }),
    );
    await own.census.until(async () => frames > 0);
    abort.abort();
    expect((await ended).code).toBe('render_canceled');
    await expectNothingLeft(own);
  });

  it.each<[string, Partial<LocalRendererOptions>, number, string]>([
    ['time', {}, 2_500, 'render_timeout'],
    ['memory', { memoryLimitMb: 150 }, 60_000, 'render_out_of_memory'],
  ])('ends at the limit of its %s', async (_, options, maxRenderMs, code) => {
    const own = await open(options);
    const error = await rejectionOf(own.renderer.renderChunk(chunkOf({ slowMs: 500 }, { maxRenderMs })));
    expect(error.code).toBe(code);
    await expectNothingLeft(own);
  });

  it('of a gif does not exist', async () => {
    const { renderer } = await open();
    const output: VideoOutput = { kind: 'video', format: 'gif' };
    await expect(renderer.renderChunk({ ...chunkOf({}), output })).rejects.toThrow('A gif cannot be cut.');
  });
});

describe('a join', () => {
  const broken = (changes: Partial<JoinSpec>): JoinSpec => ({
    ...pieces.join,
    outputPath: join(workshop.outputs, 'joined'),
    ...changes,
  });
  const [video, sound] = [
    (index: number) => pieces.join.videoPaths[index] ?? '',
    (index: number) => pieces.join.audioPaths[index] ?? '',
  ];
  const measured = (frames: number) => ({ ...pieces.join.video, frameRange: [0, frames - 1] as const });
  const shortened = async (): Promise<string> => {
    const path = join(workshop.directory, 'short.wav');
    await copyFile(sound(1), path);
    await truncate(path, 20_000);
    return path;
  };

  it.each<[string, () => Partial<JoinSpec> | Promise<Partial<JoinSpec>>, string]>([
    [
      'a missing piece',
      () => ({ videoPaths: [video(0), `${video(1)}.gone`] }),
      'Chunk 2 of 2 cannot be read.',
    ],
    [
      'a missing sound',
      () => ({ audioPaths: [sound(0), `${sound(1)}.gone`] }),
      'The sound of chunk 2 of 2 cannot be read.',
    ],
    [
      'half a sound',
      async () => ({ audioPaths: [sound(0), await shortened()] }),
      'The sound of chunk 2 of 2 has ',
    ],
    ['a piece too few', () => ({ videoPaths: [video(0)] }), '12 frames in chunks of 6 are 2 chunks'],
    ['a sound too few', () => ({ audioPaths: [sound(0)] }), '2 videos and 1 sounds were given.'],
    [
      'a frame too many',
      () => ({ video: measured(11) }),
      'Chunk 2 of 2 has 6 frames of 320 x 180; 5 frames of 320 x 180 were expected.',
    ],
    [
      'pieces of another size',
      () => ({ video: { ...pieces.join.video, width: 640 } }),
      '6 frames of 640 x 180 were expected.',
    ],
    ['what is no video', () => ({ videoPaths: [sound(0), video(1)] }), 'Chunk 1 of 2 has 0 frames'],
  ])('of %s is refused', async (_, changes, text) => {
    const own = await open();
    const error = await rejectionOf(own.renderer.joinChunks(broken(await changes())));
    expect(error.code).toBe('render_failed');
    expect(error.message).toContain(text);
    expect(error.message).not.toContain(workshop.directory);
    await expectNothingLeft(own);
  });

  it('opens no browser, and ends at the limit of its time and when it is cancelled', async () => {
    const own = await open();
    const late = await rejectionOf(own.renderer.joinChunks(broken({ maxRenderMs: 0 })));
    expect(late.code).toBe('render_timeout');
    const abort = new AbortController();
    const onProgress = () => abort.abort();
    const canceled = await rejectionOf(
      own.renderer.joinChunks(broken({}), { signal: abort.signal, onProgress }),
    );
    expect(canceled.code).toBe('render_canceled');
    await expectNothingLeft(own);
    await own.renderer.joinChunks(broken({ outputPath: join(workshop.directory, 'joined') }));
    expect(await own.browsers()).toEqual([]);
  });
});
