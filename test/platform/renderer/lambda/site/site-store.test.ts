import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type BucketObjects,
  openBucket,
} from '../../../../../src/platform/renderer/lambda/bucket-objects.ts';
import {
  measureVariable,
  withMeasureHook,
} from '../../../../../src/platform/renderer/lambda/site/measure-hook.ts';
import {
  createSiteStore,
  type SiteStore,
} from '../../../../../src/platform/renderer/lambda/site/site-store.ts';
import { type S3Emulator, startS3 } from '../../../../support/aws/s3/start-s3.ts';
import { bucketName, log, makeBucket, region, useS3 } from '../support.ts';

let s3: S3Emulator;
let bundlePath: string;
let objects: BucketObjects;
let bucket: ReturnType<typeof makeBucket>;

beforeAll(async () => {
  s3 = await startS3();
  useS3(s3);
  bundlePath = await mkdtemp(join(tmpdir(), 'rendermill-site-'));
  await mkdir(join(bundlePath, 'public/fonts'), { recursive: true });
  await Promise.all([
    writeFile(join(bundlePath, 'index.html'), '<html><body><script>1</script></body></html>'),
    writeFile(join(bundlePath, 'bundle.js'), 'run()'),
    writeFile(join(bundlePath, 'bundle.js.map'), '{"sources":["secret.tsx"]}'),
    writeFile(join(bundlePath, 'public/fonts/a.woff2'), 'font'),
    writeFile(join(bundlePath, 'public/noext'), 'bytes'),
  ]);
});

afterAll(async () => {
  await s3.stop();
  await rm(bundlePath, { recursive: true });
});

beforeEach(() => {
  s3.buckets.delete(bucketName);
  bucket = makeBucket(s3);
  objects = openBucket(bucketName, region);
});

afterEach(() => objects.close());

const openStore = (): SiteStore => createSiteStore({ objects, siteBaseUrl: 'https://sites.example', log });
const order = (organizationId: string, bundleVersion = 'abc') => ({
  organizationId,
  bundleVersion,
  bundlePath,
});
const puts = (): string[] =>
  s3.requests.filter(({ method }) => method === 'PUT').map(({ key }) => key.split('/').at(-1) ?? '');

describe('the site of a bundle', () => {
  it('has every file with its type, but no source map', async () => {
    const { name, serveUrl, address } = await openStore().ensure(order('a'));
    expect([serveUrl, address]).toEqual([
      `https://sites.example/sites/${name}/index.html`,
      `https://sites.example/sites/${name}/`,
    ]);
    const types = bucket.keys().map((key) => [key, bucket.read(key).headers['content-type']]);
    expect(types).toEqual([
      [`sites/${name}/bundle.js`, 'text/javascript; charset=utf-8'],
      [`sites/${name}/index.html`, 'text/html; charset=utf-8'],
      [`sites/${name}/public/fonts/a.woff2`, 'font/woff2'],
      [`sites/${name}/public/noext`, 'application/octet-stream'],
    ]);
  });

  it('has its index.html last, and is begun anew by whoever finds it without', async () => {
    s3.faults.push({
      match: ({ method, key }) => method === 'PUT' && key.endsWith('a.woff2'),
      times: 9,
      status: 403,
      code: 'AccessDenied',
    });
    const store = openStore();
    await expect(store.ensure(order('a'))).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(bucket.keys().filter((key) => key.endsWith('index.html'))).toEqual([]);
    s3.faults.length = 0;
    await store.ensure(order('a'));
    expect([puts().at(-1), bucket.keys().length]).toEqual(['index.html', 4]);
  });

  it('is uploaded once, by however many at a time, and by no later process', async () => {
    s3.requests.length = 0;
    const store = openStore();
    const sites = await Promise.all([order('a'), order('a'), order('a')].map((one) => store.ensure(one)));
    expect(new Set(sites.map(({ name }) => name)).size).toBe(1);
    await openStore().ensure(order('a'));
    expect(puts().length).toBe(4);
  });

  it('is its own for each organization and version', async () => {
    const store = openStore();
    const names = [order('a'), order('b'), order('a', 'def')].map(
      async (one) => (await store.ensure(one)).name,
    );
    expect(new Set(await Promise.all(names)).size).toBe(3);
  });

  it('is uploaded again when it is in doubt, though its index.html lies there', async () => {
    const store = openStore();
    const site = await store.ensure(order('a'));
    bucket.objects.delete(`sites/${site.name}/bundle.js`);
    store.forget(site);
    await store.ensure(order('a'));
    expect(bucket.keys()).toContain(`sites/${site.name}/bundle.js`);
  });
});

describe('the page of a site', () => {
  const open = (variables: string | undefined) => {
    const script = /<script>\n([\s\S]*?)<\/script>/.exec(withMeasureHook('<script>1</script>'))?.[1] ?? '';
    const window: Record<string, unknown> = {
      remotion_envVariables: variables,
      remotion_calculateComposition: async (id: string) => ({ id, width: 2 }),
    };
    runInNewContext(`${script}\nwindow.getStaticCompositions = async () => ['all'];`, { window });
    return (window.getStaticCompositions as () => Promise<unknown>)();
  };

  it('tells one composition where it is asked for one, and else is as the bundler made it', async () => {
    expect(await open(JSON.stringify({ [measureVariable]: 'tone' }))).toEqual([{ id: 'tone', width: 2 }]);
    expect(await open('{}')).toEqual(['all']);
    expect(await open(undefined)).toEqual(['all']);
  });

  it('must have a script to stand before', () => {
    expect(() => withMeasureHook('<html></html>')).toThrow('has no script');
  });
});
