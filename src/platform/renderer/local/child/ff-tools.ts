import { writeFile } from 'node:fs/promises';
import { type CancelSignal, RenderInternals } from '@remotion/renderer';

/** The ffprobe and the ffmpeg that Remotion brings along: nothing else has to be installed. */
const callFf = (
  bin: 'ffmpeg' | 'ffprobe',
  args: readonly string[],
  cancelSignal: CancelSignal,
  buffer = true,
) =>
  RenderInternals.callFf({
    bin,
    args: ['-v', 'error', ...args],
    indent: false,
    logLevel: 'error',
    binariesDirectory: null,
    cancelSignal,
    options: { buffer },
  });

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
export const probeFile = async (file: string, cancelSignal: CancelSignal): Promise<FileFacts> => {
  const entries = 'stream=codec_type,width,height,sample_rate,nb_read_packets';
  const args = ['-count_packets', '-show_entries', entries, '-of', 'json', file];
  const { stdout } = await callFf('ffprobe', args, cancelSignal);
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

/** Puts videos in a row without encoding them again; each begins `seconds` after the one before it. Writes `<outputPath>.txt` as well. */
export const concatVideos = async (
  files: readonly string[],
  seconds: number,
  outputPath: string,
  cancelSignal: CancelSignal,
): Promise<void> => {
  const quoted = (path: string): string => `'${path.replaceAll("'", "'\\''")}'`;
  const list = files.map((path) => `file ${quoted(path)}\nduration ${seconds.toFixed(6)}\n`).join('');
  const listPath = `${outputPath}.txt`;
  await writeFile(listPath, list);
  const args = ['-f', 'concat', '-safe', '0', '-i', listPath, '-an', '-c:v', 'copy', '-y', outputPath];
  await callFf('ffmpeg', args, cancelSignal);
};

/** Of a WAV without any extras, as `-bitexact` writes it. */
const wavHeaderBytes = 44;

/** Whether any sample of the file differs from zero. Reads no further than to the first that does. */
export const isAudible = async (file: string, cancelSignal: CancelSignal): Promise<boolean> => {
  const args = ['-i', file, '-vn', '-c:a', 'pcm_s16le', '-bitexact', '-f', 'wav', '-'];
  const decoding = callFf('ffmpeg', args, cancelSignal, false);
  const ended = decoding.then(
    () => null,
    (error: unknown) => error,
  );
  let toSkip = wavHeaderBytes;
  for await (const bytes of (decoding.stdout ?? []) as AsyncIterable<Buffer>) {
    const samples = bytes.subarray(toSkip);
    toSkip = Math.max(0, toSkip - bytes.length);
    if (samples.some((byte) => byte !== 0)) {
      // Why it ends from now on is of no interest.
      decoding.kill('SIGKILL');
      await ended;
      return true;
    }
  }
  const error = await ended;
  if (error !== null) throw error;
  return false;
};
