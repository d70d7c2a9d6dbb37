import { once } from 'node:events';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { S3Options } from '../../../src/platform/storage/s3/bucket.ts';
import { checkedBody } from '../../../src/platform/storage/s3/checked-body.ts';
import { createS3Storage, type S3Storage } from '../../../src/platform/storage/s3/s3-storage.ts';
import { type S3Emulator, startS3 } from '../../support/aws/s3/start-s3.ts';
import type { Bucket } from '../../support/aws/s3/store.ts';
import { silentLog } from '../../support/factories.ts';
import { describeStorage, keysOf } from './storage-contract.ts';

let s3: S3Emulator;
let count = 0;

beforeAll(async () => {
  s3 = await startS3();
});
afterAll(() => s3.stop());

const open = (given: Partial<S3Options> = {}): S3Storage =>
  createS3Storage({
    bucket: 'files',
    prefix: '',
    region: 'us-east-1',
    endpoint: s3.url,
    forcePathStyle: true,
    credentials: s3.credentials,
    log: silentLog,
    ...given,
  });

const body = (content: string | Buffer) => Readable.from([Buffer.from(content)]);

describeStorage('a bucket', async () => {
  count += 1;
  const bucket = s3.createBucket(`contract-${count}`);
  const storage = open({ bucket: bucket.name });
  return {
    storage,
    remove: async () => {
      storage.close();
      expect([...bucket.uploads.keys()]).toEqual([]);
      s3.buckets.delete(bucket.name);
    },
  };
});

describe('storage in a bucket', () => {
  let bucket: Bucket;
  let storage: S3Storage;
  const megabytes = (number: number) => Buffer.alloc(number * 1024 * 1024, 7);
  const isOf =
    (method: string, query = '') =>
    (request: { method: string; query: URLSearchParams }) =>
      request.method === method && (query === '' || request.query.has(query));

  beforeEach(() => {
    bucket = s3.createBucket('files');
    storage = open();
    s3.requests.length = 0;
  });
  afterEach(() => {
    storage.close();
    s3.faults.length = 0;
  });

  it('keeps to its prefix', async () => {
    const inside = open({ prefix: 'team/videos/' });
    bucket.objects.set('team/other', await storedBy(inside, 'a/b'));
    expect(bucket.keys()).toEqual(['team/other', 'team/videos/a/b']);
    expect(await keysOf(inside, '')).toEqual(['a/b']);
    expect(await keysOf(inside, 'a')).toEqual(['a/b']);
    expect((await inside.stat('a/b'))?.key).toBe('a/b');
    expect(await inside.presign('a/b', presigned)).toContain('/files/team/videos/a/b?');
    await inside.delete('a/b');
    expect(bucket.keys()).toEqual(['team/other']);
    inside.close();
  });

  const storedBy = async (one: S3Storage, key: string) => {
    await one.put(key, body('x'));
    return bucket.read(bucket.keys().find((name) => name.endsWith(key)) ?? '');
  };

  const presigned = { expiresInSeconds: 60, disposition: 'attachment', mediaType: 'video/mp4' };

  it('passes over names that are no keys', async () => {
    const object = await storedBy(storage, 'a');
    for (const name of ['B', 'a b', 'folder/', '.hidden/x']) bucket.objects.set(name, object);
    expect(await keysOf(storage, '')).toEqual(['a']);
  });

  it('gives URLs from which a browser gets the object by its name and type, whole or in part', async () => {
    await storage.put('v/a.mp4', body('0123456789'));
    const disposition = `attachment; filename="Fr-hling.mp4"; filename*=UTF-8''Fr%C3%BChling.mp4`;
    const url = (await storage.presign('v/a.mp4', { ...presigned, disposition })) ?? '';
    const whole = await fetch(url);
    expect([whole.status, await whole.text()]).toEqual([200, '0123456789']);
    expect(whole.headers.get('content-type')).toBe('video/mp4');
    expect(whole.headers.get('content-disposition')).toBe(disposition);
    const part = await fetch(url, { headers: { range: 'bytes=2-4' } });
    expect([part.status, await part.text()]).toEqual([206, '234']);
    expect((await fetch(url.replace('a.mp4', 'b.mp4'))).status).toBe(403);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60');
    const short = (await storage.presign('v/a.mp4', { ...presigned, expiresInSeconds: 1 })) ?? '';
    await expect.poll(async () => (await fetch(short)).status, { timeout: 10_000 }).toBe(403);
    await expect(storage.presign('../a', presigned)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('waits for a store that asks for patience', async () => {
    const slow = (method: string) => ({ match: isOf(method), times: 2, status: 503, code: 'SlowDown' });
    s3.faults.push(slow('PUT'), slow('GET'));
    await storage.put('a', body('whole'));
    expect(await text(await storage.read('a'))).toBe('whole');
    expect(s3.requests.map(({ method, status }) => `${method} ${status}`)).toEqual([
      'PUT 503',
      'PUT 503',
      'PUT 200',
      'GET 503',
      'GET 503',
      'GET 200',
    ]);
  });

  it('leaves nothing of an upload whose connection breaks again and again', async () => {
    for (const part of ['1', '3']) {
      const match = ({ query }: { query: URLSearchParams }) => query.get('partNumber') === part;
      s3.faults.push({ match, times: 99, reset: true });
      const source = body(megabytes(40));
      await expect(storage.put('a', source)).rejects.toMatchObject({ code: 'storage_unavailable' });
      expect(source.destroyed).toBe(true);
      expect([bucket.keys(), bucket.uploads.size]).toEqual([[], 0]);
      s3.faults.length = 0;
    }
  });

  it('reads no more of a body when a part of it has failed', async () => {
    let yielded = 0;
    const source = Readable.from(
      (function* () {
        for (; yielded < 100; yielded += 1) yield megabytes(8);
      })(),
    );
    s3.faults.push({ match: isOf('PUT', 'partNumber'), times: 99, status: 400, code: 'InvalidRequest' });
    await expect(storage.put('a', source)).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(yielded).toBeLessThan(12);
    expect(bucket.uploads.size).toBe(0);
  });

  it('aborts the upload whose completion is refused', async () => {
    s3.faults.push({ match: isOf('POST', 'uploadId'), times: 99, status: 400, code: 'InvalidPart' });
    await expect(storage.put('a', body(megabytes(20)))).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    expect([bucket.keys(), bucket.uploads.size]).toEqual([[], 0]);
  });

  it('knows its own object where the answer was lost on the way', async () => {
    s3.faults.push({ match: isOf('POST', 'uploadId'), cutAfterBytes: 20 });
    const { sizeInBytes } = await storage.put('large', body(megabytes(20)));
    expect(bucket.read('large').body.length).toBe(sizeInBytes);
    s3.faults.push({ match: isOf('PUT'), cutAfterBytes: 0 });
    expect(await storage.putIfAbsent('small', body('x'))).toBe(true);
    expect(s3.faults).toEqual([]);
    expect(await storage.putIfAbsent('small', body('y'))).toBe(false);
  });

  it('lets one of several writers of a large object win, and leaves no upload of the others', async () => {
    const writers = Array.from({ length: 4 }, (_, index) => Buffer.alloc(17_000_000, index));
    const wrote = await Promise.all(writers.map((one) => storage.putIfAbsent('x', body(one))));
    expect(wrote.filter(Boolean)).toHaveLength(1);
    expect(bucket.read('x').body.at(0)).toBe(wrote.indexOf(true));
    expect(bucket.uploads.size).toBe(0);
  });

  it('breaks a read whose answer ends early, and never ends it short', async () => {
    await storage.put('a', body(megabytes(2)));
    s3.faults.push({ match: isOf('GET'), cutAfterBytes: 100_000 });
    await expect(buffer(await storage.read('a'))).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect((await buffer(await storage.read('a'))).length).toBe(2 * 1024 * 1024);
  });

  it('closes the connection of a read that is destroyed', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-length': 1_000_000_000 });
      response.write(megabytes(1));
    });
    const url = await listen(server);
    const other = open({ endpoint: url });
    const ended = new Promise<void>((resolve) =>
      server.once('connection', (socket) =>
        socket.on('error', () => undefined).once('close', () => resolve()),
      ),
    );
    (await other.read('a')).destroy();
    await ended;
    server.close();
  });

  it.each([
    ['gives the whole for a range', 200, { 'content-length': '4' }],
    ['gives another range', 206, { 'content-length': '4', 'content-range': 'bytes 0-3/9' }],
    ['gives less than it says', 206, { 'content-length': '4', 'content-range': 'bytes 2-8/9' }],
    ['says no length', 206, { 'content-range': 'bytes 2-5/9' }],
  ])('does not believe a store that %s', async (_what, status, headers) => {
    const server = createServer((_request, response) => response.writeHead(status, headers).end('abcd'));
    const other = open({ endpoint: await listen(server) });
    await expect(other.read('a', { start: 2, end: 8 })).rejects.toMatchObject({
      code: 'storage_unavailable',
    });
    other.close();
    server.close();
  });

  it('aborts uploads that nobody adds to, and no others', async () => {
    await expect(storage.sweepIncoming(0)).resolves.toBe(0);
    const inside = open({ prefix: 'mine/' });
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    const uploads = [
      { key: 'mine/old', initiated: ago(61), part: null },
      { key: 'mine/old-with-a-part', initiated: ago(90), part: ago(70) },
      { key: 'mine/long', initiated: ago(90), part: ago(5) },
      { key: 'mine/young', initiated: ago(59), part: null },
      { key: 'theirs', initiated: ago(600), part: null },
    ];
    for (const { key, initiated, part } of uploads) {
      const parts = new Map(
        part === null ? [] : [[1, { body: Buffer.from('x'), etag: '"x"', lastModified: part }]],
      );
      const rest = { headers: {}, acl: 'private', storageClass: 'STANDARD' };
      bucket.uploads.set(key, { id: key, key, initiated, parts, ...rest });
    }
    expect(await inside.sweepIncoming(3_600_000)).toBe(2);
    expect([...bucket.uploads.keys()]).toEqual(['mine/long', 'mine/young', 'theirs']);
    inside.close();
  });

  it('tells a full bucket as a full disk', async () => {
    s3.faults.push({ match: isOf('PUT'), times: 99, status: 507, code: 'XMinioStorageFull' });
    await expect(storage.put('a', body('x'))).rejects.toMatchObject({ code: 'disk_full' });
  });

  it('gives up a dead endpoint soon', async () => {
    const server = createServer();
    const url = await listen(server);
    server.close();
    const dead = open({ endpoint: url });
    for (const attempt of [
      () => dead.put('a', body('x')),
      () => dead.read('a'),
      () => dead.stat('a'),
      () => dead.delete('a'),
      () => keysOf(dead, ''),
      () => dead.sweepIncoming(0),
    ]) {
      await expect(attempt()).rejects.toMatchObject({ code: 'storage_unavailable' });
    }
    await expect(dead.check()).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('Nobody answers there'),
    });
    dead.close();
  });

  const listen = async (server: ReturnType<typeof createServer>): Promise<string> => {
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  };
});

describe('a body that is checked', () => {
  it.each([
    ['shorter', 9],
    ['longer', 7],
  ])('breaks where it is %s than was announced', async (_what, announced) => {
    const checked = checkedBody(Readable.from([Buffer.from('12345678')]), announced);
    await expect(buffer(checked)).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('is an error where the store goes silent while it is waited for', async () => {
    const source = new Readable({ read: () => undefined });
    source.push('half');
    const checked = checkedBody(source, 8, 30);
    await expect(buffer(checked)).rejects.toMatchObject({ code: 'storage_unavailable' });
    expect(source.destroyed).toBe(true);
  });

  it('is none where the reader takes its time', async () => {
    const content = Buffer.alloc(500_000, 1);
    const checked = checkedBody(
      Readable.from([content.subarray(0, 300_000), content.subarray(300_000)]),
      500_000,
      10,
    );
    await once(checked, 'readable');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect((await buffer(checked)).length).toBe(500_000);
  });
});

describe('the check at the start', () => {
  it('passes where the bucket can be used', async () => {
    s3.createBucket('files');
    const storage = open();
    await expect(storage.check()).resolves.toBeUndefined();
    storage.close();
  });

  it.each([
    ['no such bucket', { bucket: 'nowhere' }, 'correct S3_BUCKET'],
    [
      'an unknown key',
      { credentials: { accessKeyId: 'AKIANOBODY', secretAccessKey: 'x' } },
      'S3_ACCESS_KEY_ID',
    ],
    ['another region', { region: 'eu-west-1' }, 'correct S3_REGION'],
  ] as const)('says what to do: %s', async (_what, given, expected) => {
    s3.createBucket('files');
    const storage = open(given);
    await expect(storage.check()).rejects.toMatchObject({
      code: 'invalid_configuration',
      message: expect.stringContaining(expected),
    });
    storage.close();
  });
});
