import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const tools = dirname(
  createRequire(import.meta.url).resolve('@remotion/compositor-linux-x64-gnu/package.json'),
);

/** `codec,width,height,frames` of every stream, the frames counted by decoding them with Remotion's own ffprobe. */
export const probe = async (file: string): Promise<readonly string[]> => {
  const entries = 'stream=codec_name,width,height,nb_read_frames';
  const args = ['-v', 'error', '-count_frames', '-show_entries', entries, '-of', 'csv=p=0', file];
  const { stdout } = await promisify(execFile)(join(tools, 'ffprobe'), args, {
    env: { LD_LIBRARY_PATH: tools },
  });
  return stdout
    .trim()
    .split('\n')
    .map((line) => line.replace(/,$/, ''));
};

export const countFrames = async (file: string): Promise<number> =>
  Number((await probe(file))[0]?.split(',').at(-1));
