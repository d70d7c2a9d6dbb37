import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { bundle } from '@remotion/bundler';
import { openBrowser, renderStill, selectComposition } from '@remotion/renderer';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findBrowser } from '../../../../src/platform/renderer/browser/find-browser.ts';
import {
  type BuildBundleOptions,
  type BuiltBundle,
  buildBundle,
} from '../../../../src/platform/renderer/bundle/build-bundle.ts';
import { fixture, temporaryFolder, writeFiles } from './temporary-project.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let browserExecutable: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  browserExecutable = (await findBrowser()).path;
});
afterAll(() => folder.remove());

const build = (
  name: string,
  projectPath: string,
  more: Partial<BuildBundleOptions> = {},
): Promise<BuiltBundle> =>
  buildBundle({ projectPath, outputDirectory: join(folder.path, name), browserExecutable, ...more });

type Browser = Awaited<ReturnType<typeof openBrowser>>;

const renderFrame = async (
  browser: Browser,
  serveUrl: string,
  given: { id: string; frame: number },
): Promise<Buffer> => {
  const shared = { serveUrl, inputProps: {}, puppeteerInstance: browser, logLevel: 'error' as const };
  const composition = await selectComposition({ ...shared, id: given.id });
  const { buffer } = await renderStill({ ...shared, composition, frame: given.frame, imageFormat: 'png' });
  return buffer as Buffer;
};

describe('buildBundle', { timeout: 60_000 }, () => {
  it('describes a project without schema and leaves its pictures as they are', async () => {
    const built = await build('plain', fixture('tenant-plain'));
    expect(built).toEqual({
      sourceHash: expect.stringMatching(/^[0-9a-f]{64}$/),
      entryPoint: 'src/index.tsx',
      compositions: [
        expect.objectContaining({
          id: 'title',
          width: 320,
          height: 180,
          fps: 30,
          durationInFrames: 45,
          propsSchema: null,
        }),
        expect.objectContaining({
          id: 'card',
          durationInFrames: 1,
          defaultProps: { text: 'card' },
          schemaNotes: [],
        }),
      ],
    });
    expect(await readdir(join(folder.path, 'plain'))).not.toContain('rendermill-entry.ts');
    const root = fixture('tenant-plain');
    const plain = await bundle({
      entryPoint: join(root, 'src/index.tsx'),
      rootDir: root,
      rspack: true,
      enableCaching: false,
      outDir: join(folder.path, 'unwrapped'),
    });
    const browser = await openBrowser('chrome', { browserExecutable, logLevel: 'error' });
    onTestFinished(() => browser.close({ silent: true }));
    const expected = await renderFrame(browser, plain, { id: 'title', frame: 20 });
    const wrapped = join(folder.path, 'plain');
    expect((await renderFrame(browser, wrapped, { id: 'title', frame: 20 })).equals(expected)).toBe(true);
    // Otherwise an empty picture would be as good.
    expect((await renderFrame(browser, plain, { id: 'title', frame: 21 })).equals(expected)).toBe(false);
  });

  it('costs a render little: the schema converters are loaded only to describe', async () => {
    const [wrapped, plain] = await Promise.all(
      ['plain', 'unwrapped'].map(async (name) => (await stat(join(folder.path, name, 'bundle.js'))).size),
    );
    expect((wrapped ?? 0) - (plain ?? 0)).toBeLessThan(30_000);
  });

  it('describes a zod 4 schema, and leaves open what calculateMetadata decides', async () => {
    const { compositions } = await build('zod4', fixture('tenant-zod4'));
    const [ad] = compositions;
    expect(ad).toMatchObject({
      id: 'ad',
      width: 300,
      durationInFrames: null,
      hasCalculateMetadata: true,
      schemaNotes: [],
    });
    expect(ad?.defaultProps.startsAt).toBe('2026-01-02T03:04:05.000Z');
    expect(ad?.propsSchema).toMatchObject({
      required: ['headline', 'startsAt', 'media', 'prices'],
      properties: {
        startsAt: { type: 'string', format: 'date-time', 'x-rendermill-date': true },
        colour: { enum: ['red', 'green'], default: 'red' },
        prices: { items: { properties: { validUntil: { format: 'date-time' } }, required: ['amount'] } },
      },
    });
    const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(ad?.propsSchema ?? {});
    expect(validate(ad?.defaultProps)).toBe(true);
    expect(validate({ ...ad?.defaultProps, media: { kind: 'video' } })).toBe(false);
  });

  it('describes a zod 3 schema, and the fields of zod 4 in it', async () => {
    const [card] = (await build('zod3', fixture('tenant-zod3'))).compositions;
    expect(card?.propsSchema).toMatchObject({
      required: expect.arrayContaining(['born', 'accent']),
      properties: {
        name: { type: 'string', default: 'nobody' },
        born: { type: 'string', format: 'date-time', 'x-rendermill-date': true },
        accent: { type: 'string', pattern: '^#' },
        tags: {
          items: {
            properties: { label: { type: 'string' }, colour: { pattern: '^#' } },
            required: ['label', 'colour'],
          },
        },
      },
    });
  });

  const composition = (attributes: string): string =>
    `<Composition component={() => null} width={10} height={10} fps={1} durationInFrames={1} ${attributes} />`;
  const project = (root: string, before = ''): string =>
    `import { Composition, registerRoot } from 'remotion';\n${before}\nregisterRoot(() => <>${root}</>);\n`;

  it.each([
    [
      'a syntax error',
      { 'src/index.tsx': 'registerRoot(', 'src/x': '' },
      /does not compile.\n\.\/src\/index\.tsx.*\[src\/index\.tsx:1:/s,
    ],
    [
      'a missing package',
      { 'src/index.tsx': project('', "import 'not-there';") },
      /src\/index\.tsx.*Can't resolve 'not-there'/s,
    ],
    [
      'an error at module level',
      { 'src/index.tsx': project('', "JSON.parse('{');") },
      /threw an error while it was loaded: .*JSON.*\(src\/index\.tsx:2\)/,
    ],
    [
      'two compositions of one id',
      { 'src/index.tsx': project(composition('id="a"') + composition('id="a"')) },
      'Two compositions have the id "a"',
    ],
    ['no composition', { 'src/index.tsx': project('') }, 'registers no <Composition>'],
    [
      'a calculateMetadata that throws',
      {
        'src/index.tsx': project(
          composition('id="bad" calculateMetadata={() => { throw new Error("no price"); }}'),
        ),
      },
      /calculateMetadata\(\) of the composition "bad" failed with its default props: no price/,
    ],
    [
      'a calculateMetadata that needs the network',
      {
        'src/index.tsx': project(
          composition(
            'id="net" calculateMetadata={async () => { await fetch("https://api.example.com/x?key=1"); return {}; }}',
          ),
        ),
      },
      /"net" failed.*Blocked by the list of allowed hosts: https:\/\/api\.example\.com\/ \(api\.example\.com is not on the list/,
    ],
    [
      'a playlist by another name',
      {
        'src/index.tsx': project(composition('id="a"')),
        'public/film.mp4': '\uFEFF\n#EXTM3U\nfile:///x.ts\n',
      },
      'public/film.mp4 is a playlist',
    ],
    [
      'a list of files to join',
      {
        'src/index.tsx': project(composition('id="a"')),
        'public/a/b.txt': "ffconcat version 1.0\nfile 'x'\n",
      },
      'public/a/b.txt is a playlist',
    ],
  ])('says what is wrong with %s', async (name, files, message) => {
    const path = await writeFiles(join(folder.path, `project ${name}`), files);
    await expect(build(`built ${name}`, path)).rejects.toMatchObject({
      code: 'bundle_failed',
      message: expect.stringMatching(message),
    });
    expect(await readdir(folder.path)).not.toContain(`built ${name}`);
  });

  it('stops a project that never ends, with its browser', async () => {
    const path = await writeFiles(join(folder.path, 'endless'), {
      'src/index.tsx': project('', 'while (true) {}'),
    });
    await expect(build('never', path, { deadlineMs: 6_000 })).rejects.toThrow(
      'could not be bundled within 6 seconds',
    );
    expect(await commandLinesWith('rendermill-build-')).toEqual([]);
  });
});

/** Zombies have none. */
const commandLinesWith = async (text: string): Promise<string[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.filter((line) => line.includes(text));
};
