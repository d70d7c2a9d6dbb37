import { cuttableFormats, type VideoOutput } from '../contract.ts';

/** Names of one chunk's two files, from its `outputBase`. MPEG-TS and WAV can be put in a row as they are; so can AAC. */
const endings = {
  mp4: { video: '.ts', audio: '.aac' },
  webm: { video: '.webm', audio: '.wav' },
} as const;

export interface ChunkFiles {
  readonly videoPath: string;
  readonly audioPath: string;
}

/** A gif cannot be cut: that is an error of the caller. */
export const cuttableFormat = ({ format }: VideoOutput): keyof typeof endings => {
  if (format === 'gif' || !cuttableFormats.has(format)) throw new Error(`A ${format} cannot be cut.`);
  return format;
};

export const chunkFiles = (output: VideoOutput, outputBase: string): ChunkFiles => {
  const { video, audio } = endings[cuttableFormat(output)];
  return { videoPath: outputBase + video, audioPath: outputBase + audio };
};
