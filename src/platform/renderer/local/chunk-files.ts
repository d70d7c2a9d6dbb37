import { cuttableFormats, type VideoOutput } from '../contract.ts';

/** MPEG-TS can be read one after the other; WebM carries on what it is made of. */
const videoEndings = { mp4: '.ts', webm: '.webm' } as const;

export interface ChunkFiles {
  readonly videoPath: string;
  readonly audioPath: string;
}

/** A gif cannot be cut: that is an error of the caller. */
export const cuttableFormat = ({ format }: VideoOutput): keyof typeof videoEndings => {
  if (format === 'gif' || !cuttableFormats.has(format)) throw new Error(`A ${format} cannot be cut.`);
  return format;
};

/** One chunk's two files. The sound is not encoded yet: that is done once, to the whole. */
export const chunkFiles = (output: VideoOutput, outputBase: string): ChunkFiles => ({
  videoPath: outputBase + videoEndings[cuttableFormat(output)],
  audioPath: `${outputBase}.wav`,
});
