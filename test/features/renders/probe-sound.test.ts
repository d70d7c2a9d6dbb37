import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { probeSound } from '../../../src/features/renders/probe-sound.ts';

const tools = dirname(
  createRequire(import.meta.url).resolve('@remotion/compositor-linux-x64-gnu/package.json'),
);
const redSquare =
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mP4z8BAEmIY1TCqYfhqAACQ+f8B8u7oVwAAAABJRU5ErkJggg==';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rendermill-sound-'));
  await writeFile(join(directory, 'picture.png'), Buffer.from(redSquare, 'base64'));
  await writeFile(join(directory, 'silence.f32'), Buffer.alloc(4 * 48_000));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const codecs = { mp4: ['libx264', 'aac'], webm: ['libvpx-vp9', 'libopus'] } as const;

/** Made by the very program that makes our videos. */
const makeVideo = async (format: 'mp4' | 'webm', given: { sound: boolean; flags?: readonly string[] }) => {
  const path = join(directory, `${format}-${given.sound}-${given.flags?.length ?? 0}.${format}`);
  const sound = ['-t', '0.4', '-f', 'f32le', '-ar', '48000', '-i', 'silence.f32'];
  const [video, audio] = codecs[format];
  await promisify(execFile)(
    join(tools, 'ffmpeg'),
    [
      ...['-loglevel', 'error', '-y', '-loop', '1', '-t', '0.4', '-r', '5', '-i', 'picture.png'],
      ...(given.sound ? [...sound, '-c:a', audio] : []),
      ...['-pix_fmt', 'yuv420p', '-c:v', video, ...(given.flags ?? []), path],
    ],
    { cwd: directory, env: { LD_LIBRARY_PATH: tools } },
  );
  return path;
};

const faststart = ['-movflags', 'faststart'];

describe('a finished video says whether it has a sound track', () => {
  test.each([
    ['mp4', true, []],
    ['mp4', false, []],
    ['mp4', true, faststart],
    ['mp4', false, faststart],
    ['webm', true, []],
    ['webm', false, []],
  ] as const)('%s, sound: %s, %j', async (format, sound, flags) => {
    expect(await probeSound(await makeVideo(format, { sound, flags }), format)).toBe(sound);
  });

  test('a gif has none, and a still is not asked', async () => {
    expect(await probeSound(join(directory, 'picture.png'), 'gif')).toBe(false);
    expect(await probeSound(join(directory, 'picture.png'), 'png')).toBeNull();
  });
});

describe('what cannot be told is not known, and no failure', () => {
  test.each(['mp4', 'webm'] as const)('a %s that is missing, empty, or something else', async (format) => {
    const empty = join(directory, 'empty');
    await writeFile(empty, '');
    expect(await probeSound(join(directory, 'nowhere'), format)).toBeNull();
    expect(await probeSound(empty, format)).toBeNull();
    expect(await probeSound(join(directory, 'picture.png'), format)).toBeNull();
  });

  test.each(['mp4', 'webm'] as const)('a %s that was cut anywhere, or has any byte wrong', async (format) => {
    // Any of the three answers may be right; what it must not do is reject, or read for ever.
    const whole = await readFile(await makeVideo(format, { sound: true, flags: [] }));
    const path = join(directory, `spoilt.${format}`);
    for (let index = 0; index < whole.length; index += 37) {
      await writeFile(path, whole.subarray(0, index));
      expect([true, false, null]).toContain(await probeSound(path, format));
      const spoilt = Buffer.from(whole);
      spoilt[index] = 0xff - (spoilt[index] ?? 0);
      await writeFile(path, spoilt);
      expect([true, false, null]).toContain(await probeSound(path, format));
    }
  });
});
