import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { type CancelSignal, RenderInternals } from '@remotion/renderer';
import { VERSION } from 'remotion/version';

export interface FfHooks {
  readonly cancelSignal: CancelSignal;
  /** It still moves. */
  readonly onAlive: () => void;
}

/** The ffprobe and the ffmpeg that Remotion brings along: nothing else has to be installed. */
const callFf = (
  bin: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  hooks: FfHooks,
  input?: Readable,
): Promise<{ readonly stdout: string }> => {
  const task = RenderInternals.callFf({
    bin,
    args: ['-v', 'error', ...args],
    indent: false,
    logLevel: 'error',
    binariesDirectory: null,
    cancelSignal: hooks.cancelSignal,
    options: input === undefined ? { stdin: 'ignore' } : { input },
  });
  task.stderr?.on('data', hooks.onAlive);
  return task;
};

/** Writes statistics twice a second, which tell that it is alive. */
const callFfmpeg = async (args: readonly string[], hooks: FfHooks, input?: Readable): Promise<void> => {
  await callFf('ffmpeg', ['-stats', ...args], hooks, input);
};

/** What a file holds; zeros for what it does not. */
export interface FileFacts {
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  /** Of the sound: hertz, and packets as its codec makes them. */
  readonly sampleRate: number;
  readonly packets: number;
}

interface ProbedStream {
  readonly codec_type?: string;
  readonly width?: number;
  readonly height?: number;
  readonly sample_rate?: string;
  readonly nb_read_packets?: string;
}

/** Counts packets, which are frames in a video, without decoding them. Rejects when the file is missing or is no media. */
export const probeFile = async (file: string, hooks: FfHooks): Promise<FileFacts> => {
  const entries = 'stream=codec_type,width,height,sample_rate,nb_read_packets';
  const args = ['-count_packets', '-show_entries', entries, '-of', 'json', file];
  const { stdout } = await callFf('ffprobe', args, hooks);
  hooks.onAlive();
  const { streams = [] } = JSON.parse(stdout) as { streams?: ProbedStream[] };
  const video = streams.find((stream) => stream.codec_type === 'video');
  const sound = streams.find((stream) => stream.codec_type === 'audio');
  return {
    width: video?.width ?? 0,
    height: video?.height ?? 0,
    frames: Number(video?.nb_read_packets ?? 0),
    sampleRate: Number(sound?.sample_rate ?? 0),
    packets: Number(sound?.nb_read_packets ?? 0),
  };
};

/** Puts WebMs in a row without encoding them again; each begins `seconds` after the one before it. Writes `<outputPath>.txt` as well. */
export const concatWebms = async (
  files: readonly string[],
  seconds: number,
  outputPath: string,
  hooks: FfHooks,
): Promise<void> => {
  const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
  const listPath = `${outputPath}.txt`;
  await writeFile(
    listPath,
    files.map((path) => `file ${quoted(path)}\nduration ${seconds.toFixed(6)}\n`).join(''),
  );
  const input = ['-f', 'concat', '-safe', '0', '-i', listPath];
  await callFfmpeg([...input, '-an', '-c:v', 'copy', '-y', outputPath], hooks);
};

/** As Remotion encodes the sound of a whole render. */
const soundArguments = {
  aac: ['-c:a', 'libfdk_aac', '-f', 'adts', '-b:a', '320k', '-cutoff', '18000'],
  opus: ['-c:a', 'libopus', '-b:a', '320k'],
} as const;

export const encodeSound = (
  wav: AsyncIterable<Buffer>,
  codec: keyof typeof soundArguments,
  outputPath: string,
  hooks: FfHooks,
): Promise<void> =>
  callFfmpeg(
    ['-f', 'wav', '-i', 'pipe:0', ...soundArguments[codec], '-y', outputPath],
    hooks,
    Readable.from(wav),
  );

/** As Remotion puts picture and sound of chunks together. `video` may be any address that ffmpeg knows. */
export const muxVideo = (
  given: {
    readonly video: string;
    readonly sound: string | null;
    readonly fps: number;
    readonly outputPath: string;
  },
  hooks: FfHooks,
): Promise<void> => {
  const { video, sound, fps, outputPath } = given;
  const inputs = ['-i', video, ...(sound === null ? [] : ['-i', sound, '-c:a', 'copy'])];
  const faststart = outputPath.endsWith('.mp4') ? ['-movflags', 'faststart'] : [];
  const comment = ['-metadata', `comment=Made with Remotion ${VERSION}`];
  // Without the rate, ffmpeg takes one from the pieces that is slightly off.
  return callFfmpeg(
    [...inputs, '-c:v', 'copy', '-r', String(fps), ...faststart, ...comment, '-y', outputPath],
    hooks,
  );
};
