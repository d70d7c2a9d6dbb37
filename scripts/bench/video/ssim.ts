import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Structural similarity of two videos, the mean of their frames, 0 to 1, by the system's ffmpeg (Remotion's own has no such filter).
 * Frames are paired by their number: by their times, files with different time bases would be compared one frame off.
 */
export const ssimOf = async (first: string, second: string, fps: number): Promise<number> => {
  const byNumber = `settb=AVTB,setpts=N/${fps}/TB`;
  const filter = `[0:v]${byNumber}[a];[1:v]${byNumber}[b];[a][b]ssim`;
  const { stderr } = await promisify(execFile)(
    'ffmpeg',
    ['-hide_banner', '-nostats', '-i', first, '-i', second, '-lavfi', filter, '-f', 'null', '-'],
    { maxBuffer: 16 * 1024 * 1024 },
  );
  const found = /SSIM .*All:([\d.]+)/.exec(stderr)?.[1];
  if (found === undefined) throw new Error(`ffmpeg compared nothing: ${stderr.slice(-500)}`);
  return Number(found);
};
