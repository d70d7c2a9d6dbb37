import { open, readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { bundleFailed } from './bundle-failed.ts';

/** After a byte order mark and white space. Only at the beginning: a player's code names these marks too. */
const playlistStart = /^(?:\uFEFF)?\s*(?:#EXTM3U|ffconcat)/;

const headBytes = 4_096;

const headOf = async (path: string): Promise<string> => {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await file.close();
  }
};

/** A playlist names files and addresses that the decoder would open unchecked, whatever its own name is. */
export const refusePlaylists = async (outputDirectory: string): Promise<void> => {
  const entries = await readdir(outputDirectory, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((candidate) => candidate.isFile())) {
    const path = join(entry.parentPath, entry.name);
    if (!playlistStart.test(await headOf(path))) continue;
    throw bundleFailed(
      `${relative(outputDirectory, path)} is a playlist, which cannot be deployed: it names other files. Use the video or the sound itself.`,
    );
  }
};
