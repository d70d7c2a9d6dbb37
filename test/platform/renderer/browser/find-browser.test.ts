import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findBrowser } from '../../../../src/platform/renderer/browser/find-browser.ts';

let directory: string;
const nothingElse = { systemPaths: [], downloadDirectory: '/nowhere' };
const at = (name: string): string => join(directory, name);

const writeProgram = async (path: string, content: string | Buffer): Promise<string> => {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, 0o755);
  return path;
};

const elf = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]);

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'rendermill-browser-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('findBrowser', () => {
  it('finds the real browser of this machine with its version', async () => {
    const found = await findBrowser();
    expect(found).toMatchObject({ source: 'system', version: expect.stringMatching(/\d+\.\d+/) });
  });

  it('takes the configured one before one of the system', async () => {
    const configured = await writeProgram(at('mine/chromium'), elf);
    const system = await writeProgram(at('system/chromium'), elf);
    expect(await findBrowser({ explicitPath: configured, systemPaths: [system] })).toEqual({
      path: configured,
      source: 'configured',
    });
  });

  it.each([
    ['names it', (browser: string) => `#!/bin/sh -e\n\n${browser} "$@"\n`, 'lib/chromium-headless-shell'],
    ['lies beside it', () => '#!/bin/bash\nexec -a "$0" "$HERE/chrome" "$@"\n', 'bin/chrome'],
  ])('finds the browser behind a script that %s', async (_, script, place) => {
    const browser = await writeProgram(at(place), elf);
    const wrapper = await writeProgram(at('bin/start-browser'), script(browser));
    await symlink(wrapper, at('link'));
    expect(await findBrowser({ explicitPath: at('link') })).toMatchObject({ path: browser });
  });

  it('refuses a script whose browser cannot be found', async () => {
    const wrapper = await writeProgram(at('wrapper'), '#!/bin/sh\nexec "$BROWSER" "$@"\n');
    await expect(findBrowser({ explicitPath: wrapper })).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining('BROWSER_EXECUTABLE'),
    });
  });

  it('does not replace a configured browser that is missing by another', async () => {
    const system = await writeProgram(at('chromium'), elf);
    await expect(findBrowser({ explicitPath: at('gone'), systemPaths: [system] })).rejects.toMatchObject({
      code: 'invalid_configuration',
    });
  });

  it('falls back to the one that Remotion downloaded', async () => {
    const path = await writeProgram(at('linux64/chrome-headless-shell-linux64/chrome-headless-shell'), elf);
    expect(await findBrowser({ systemPaths: [], downloadDirectory: directory })).toEqual({
      path,
      source: 'downloaded',
    });
  });

  it('says what to install when there is none', async () => {
    await expect(findBrowser(nothingElse)).rejects.toThrow(/apt-get install/);
  });
});
