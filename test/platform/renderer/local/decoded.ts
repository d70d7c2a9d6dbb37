import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);
const maxBuffer = 512 * 1024 * 1024;

const answers = (program: string): boolean => {
  try {
    execFileSync(program, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
};

/** The system's own, which can compare pictures; Remotion's cannot. */
export const hasFfmpeg = answers('ffmpeg') && answers('ffprobe');

/** Structural similarity of each pair of frames, 0 to 1. Pairs them by number, whatever the time bases of the files. */
export const frameSimilarities = async (first: string, second: string, fps: number): Promise<number[]> => {
  const count = `settb=AVTB,setpts=N/${fps}/TB`;
  const filter = `[0:v]${count}[a];[1:v]${count}[b];[a][b]ssim=stats_file=-`;
  const args = ['-v', 'error', '-i', first, '-i', second, '-lavfi', filter, '-f', 'null', '-'];
  const { stdout } = await run('ffmpeg', args, { maxBuffer });
  return [...stdout.matchAll(/All:([\d.]+)/g)].map(([, value]) => Number(value));
};

/** Samples of both channels in turn, -1 to 1, at 48 kHz; of the first so many seconds. */
export const samplesOf = async (file: string, seconds: number): Promise<Float32Array> => {
  const args = ['-v', 'error', '-i', file, '-vn', '-ar', '48000', '-ac', '2', '-f', 'f32le', '-'];
  const { stdout } = await run('ffmpeg', args, { encoding: 'buffer', maxBuffer });
  const wanted = Math.round(seconds * 48_000) * 2;
  return new Float32Array(stdout.buffer.slice(stdout.byteOffset, stdout.byteOffset + stdout.length)).subarray(
    0,
    wanted,
  );
};

export const largestDeviation = (first: Float32Array, second: Float32Array): number =>
  first.reduce((largest, sample, index) => Math.max(largest, Math.abs(sample - (second[index] ?? 9))), 0);

/** When each frame is shown, seconds from the start of the file. */
export const timesOf = async (file: string): Promise<number[]> => {
  const args = [
    '-v',
    'error',
    '-select_streams',
    'v:0',
    '-show_entries',
    'packet=pts_time',
    '-of',
    'csv=p=0',
    file,
  ];
  const { stdout } = await run('ffprobe', args, { maxBuffer });
  const times = stdout
    .split('\n')
    .map((line) => line.replace(/,$/, ''))
    .filter(Boolean)
    .map(Number);
  return times.toSorted((a, b) => a - b);
};

export interface StreamFacts {
  readonly codec_name: string;
  readonly r_frame_rate: string;
  readonly start_time: string;
  readonly pix_fmt?: string;
  readonly sample_rate?: string;
  readonly channels?: number;
}

export const streamsOf = async (file: string): Promise<StreamFacts[]> => {
  const entries = 'stream=codec_name,r_frame_rate,start_time,pix_fmt,sample_rate,channels';
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', file]);
  const { streams } = JSON.parse(stdout) as { streams: (StreamFacts & { side_data_list?: unknown })[] };
  return streams.map(({ side_data_list: _, ...facts }) => facts);
};
