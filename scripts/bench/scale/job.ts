/** The video of the bench, the same for whoever renders it. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

export const root = fileURLToPath(new URL('../../..', import.meta.url));
export const entryPoint = fileURLToPath(new URL('./composition/index.ts', import.meta.url));
/** Its public folder holds the sound. */
export const projectPath = join(root, 'remotion');
export const publicDir = join(projectPath, 'public');

export const compositionId = 'minute';
/** The same pictures under another name. */
export const warmUpId = 'warm-up';
export const warmUpFrames = 30;
export const fps = 30;

export interface Job {
  /** Of footage. */
  readonly seconds: number;
  readonly frames: number;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Where, and by which browser. */
export interface Workshop {
  readonly job: Job;
  readonly directory: string;
  /** The plain bundle of the composition, without anything of ours. */
  readonly bundlePath: string;
  readonly browserExecutable: string;
}

export interface Measured {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
}

/** Rejects where the file has not all of the frames, or no sound: as a player counts, by Remotion's own ffprobe. */
export const assertWhole = async (file: string, { frames, width, height }: Job): Promise<void> => {
  const { stdout } = await promisify(execFile)(
    join(root, 'node_modules', '.bin', 'remotion'),
    ['ffprobe', '-v', 'error', '-count_packets']
      .concat(['-show_entries', 'stream=codec_type,nb_read_packets,width,height'])
      .concat(['-of', 'json', file]),
    { cwd: root },
  );
  const { streams } = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    streams: { codec_type: string; nb_read_packets: string; width?: number; height?: number }[];
  };
  const video = streams.find(({ codec_type }) => codec_type === 'video');
  const found = `${video?.nb_read_packets} frames of ${video?.width} x ${video?.height}`;
  if (found !== `${frames} frames of ${width} x ${height}`)
    throw new Error(`${file} has ${found}; ${frames} of ${width} x ${height} were expected`);
  const sound = streams.find(({ codec_type }) => codec_type === 'audio');
  if (!(Number(sound?.nb_read_packets) > 0)) throw new Error(`${file} has no sound`);
};
