import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '@remotion/bundler';
import { framesOfChunk } from '../../../../src/core/plan-chunks.ts';
import type {
  ChunkResult,
  ChunkSpec,
  JoinSpec,
  LocalRenderer,
  RenderProgress,
  RenderSpec,
  VideoOutput,
} from '../../../../src/platform/renderer/contract.ts';
import type { Workshop } from './support.ts';

const rate = 48_000;
const seconds = 4;

/** Sweeps, another on each side, over a little noise: wherever it is cut wrongly, samples differ. */
const sweepWav = (): Buffer => {
  const frames = rate * seconds;
  const wav = Buffer.alloc(44 + frames * 4);
  wav.write('RIFF', 0);
  wav.writeUInt32LE(36 + frames * 4, 4);
  wav.write('WAVEfmt ', 8);
  wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20);
  wav.writeUInt16LE(2, 22);
  wav.writeUInt32LE(rate, 24);
  wav.writeUInt32LE(rate * 4, 28);
  wav.writeUInt16LE(4, 32);
  wav.writeUInt16LE(16, 34);
  wav.write('data', 36);
  wav.writeUInt32LE(frames * 4, 40);
  let noise = 1;
  for (let i = 0; i < frames; i++) {
    const t = i / rate;
    noise = (noise * 16_807) % 2_147_483_647;
    const hiss = (noise / 2_147_483_647 - 0.5) * 800;
    wav.writeInt16LE(Math.round(9_000 * Math.sin(2 * Math.PI * (200 + 400 * t) * t) + hiss), 44 + 4 * i);
    wav.writeInt16LE(Math.round(9_000 * Math.sin(2 * Math.PI * (900 - 150 * t) * t) - hiss), 46 + 4 * i);
  }
  return wav;
};

/** Bundles the project of this folder, with `sweep.wav`. */
export const openChunkWorkshop = async (): Promise<Workshop> => {
  const directory = await mkdtemp(join(tmpdir(), 'rendermill-chunks-'));
  const [publicDir, outputs] = [join(directory, 'public'), join(directory, 'outputs')];
  await Promise.all([publicDir, outputs].map((path) => mkdir(path)));
  await writeFile(join(publicDir, 'sweep.wav'), sweepWav());
  const project = fileURLToPath(new URL('chunk-project/', import.meta.url));
  const bundlePath = await bundle({
    entryPoint: join(project, 'index.jsx'),
    rootDir: project,
    outDir: join(directory, 'bundle'),
    publicDir,
    rspack: true,
    enableCaching: false,
  });
  return { directory, bundlePath, outputs, remove: () => rm(directory, { recursive: true, force: true }) };
};

export type ShowProps = {
  readonly frames?: number;
  readonly fps?: number;
  readonly width?: number;
  /** Hertz, of the sound. */
  readonly sampleRate?: number;
  readonly sound?: 'sweep';
  /** The first frame that has it. */
  readonly soundFrom?: number;
  readonly throwAt?: number;
  readonly slowMs?: number;
};

export const showSpec = (
  workshop: Workshop,
  inputProps: ShowProps,
  output: VideoOutput,
  limits: Partial<RenderSpec['limits']> = {},
): Omit<RenderSpec, 'outputPath' | 'output'> & { readonly output: VideoOutput } => ({
  organizationId: 'organization-a',
  bundlePath: workshop.bundlePath,
  bundleVersion: 'abc123',
  compositionId: 'show',
  inputProps,
  output,
  limits: { maxDurationSeconds: null, maxRenderMs: 60_000, ...limits },
});

export interface Pieces {
  readonly chunks: readonly ChunkResult[];
  readonly join: JoinSpec;
}

/** Measures, renders chunk after chunk and says how they are to be joined. The files are named for `name`. */
export const renderPieces = async (
  renderer: LocalRenderer,
  workshop: Workshop,
  given: {
    readonly name: string;
    readonly spec: ReturnType<typeof showSpec>;
    readonly framesPerChunk: number;
  },
  onProgress: (progress: RenderProgress) => void = () => undefined,
): Promise<Pieces> => {
  const { name, spec, framesPerChunk } = given;
  const { compositionFrames, ...video } = await renderer.measureVideo(spec);
  const [first, last] = video.frameRange;
  const count = Math.ceil((last - first + 1) / framesPerChunk);
  const chunks: ChunkResult[] = [];
  for (let number = 0; number < count; number++) {
    const chunk: ChunkSpec = {
      ...spec,
      frames: framesOfChunk({ count, framesPerChunk }, video.frameRange, number),
      frameRange: video.frameRange,
      outputBase: join(workshop.directory, `${name}-${number}`),
    };
    chunks.push(await renderer.renderChunk(chunk, { onProgress }));
  }
  const isSilent = chunks.every(({ silent }) => silent);
  const audioPaths = isSilent ? [] : chunks.map(({ audioPath }) => audioPath ?? '');
  return {
    chunks,
    join: {
      output: spec.output,
      organizationId: spec.organizationId,
      video,
      framesPerChunk,
      compositionFrames,
      videoPaths: chunks.map(({ videoPath }) => videoPath),
      audioPaths,
      maxRenderMs: 60_000,
      outputPath: join(workshop.directory, `${name}-joined`),
    },
  };
};
