import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { ApiError } from '../../src/client/api-error.ts';
import { type Client, createClient } from '../../src/client/client.ts';
import type { ExportRecord, WatchMessage } from '../../src/client/types.ts';
import type { PresentedExport } from '../../src/domain/exports/present-export.ts';
import { type ApiUnderTest, json, serve } from './api-under-test.ts';

let api: ApiUnderTest | undefined;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-client-'));
});
afterEach(async () => {
  await api?.close();
  api = undefined;
  await rm(folder, { recursive: true });
});

const clientOf = async (
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<Client> => {
  api = await serve(answer);
  return createClient({ url: `${api.url}/`, key: 'rm_sk_test' });
};

const failureOf = (work: Promise<unknown>): Promise<ApiError> =>
  work.then(
    () => Promise.reject(new Error('It did not fail.')),
    (error: unknown) => (error instanceof ApiError ? error : Promise.reject(error)),
  );

const collect = async (messages: AsyncGenerator<WatchMessage>): Promise<string[]> => {
  const seen: string[] = [];
  for await (const message of messages)
    seen.push(message.type === 'status' ? message.status : `${message.percent} %`);
  return seen;
};

const beginStream = (response: ServerResponse) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write('retry: 1\n\n');
};
const status = (id: number, name: string) =>
  `id: ${id}\nevent: status\ndata: ${JSON.stringify({ status: name, at: '2026-01-01T00:00:00.000Z' })}\n\n`;
const progress = (percent: number) =>
  `event: progress\ndata: ${JSON.stringify({ percent, stage: 'rendering' })}\n\n`;

describe('a request', () => {
  it('carries the key, the body and the idempotency key', async () => {
    let body = '';
    const client = await clientOf(async (request, response) => {
      for await (const chunk of request) body += chunk;
      json(response, 202, { id: 'e-1' });
    });
    const order = { userId: 'u', projectId: 'p', compositionId: 'c', kind: 'still', format: 'png' } as const;
    expect(await client.render(order, { idempotencyKey: 'k-1' })).toEqual({ id: 'e-1' });
    const request = api?.requests[0];
    expect(`${request?.method} ${request?.url}`).toBe('POST /api/render');
    expect(request?.headers).toMatchObject({ authorization: 'Bearer rm_sk_test', 'idempotency-key': 'k-1' });
    expect(JSON.parse(body)).toEqual(order);
  });

  it('fails with what the service says', async () => {
    const error = {
      code: 'not_found',
      message: 'There is no export.',
      details: { id: 'x' },
      requestId: 'r-1',
    };
    const client = await clientOf((_request, response) => json(response, 404, { error }));
    expect(await failureOf(client.get('x'))).toMatchObject({
      ...error,
      status: 404,
      name: 'ApiError',
      passing: false,
    });
  });

  it('fails with the status where something else answers', async () => {
    const client = await clientOf(
      (_request, response) => void response.writeHead(502).end('<html>Bad Gateway</html>'),
    );
    expect(await failureOf(client.get('x'))).toMatchObject({
      code: 'unexpected_answer',
      status: 502,
      passing: true,
    });
  });

  it('says where nobody answers, and why', async () => {
    const client = await clientOf(() => undefined);
    const url = api?.url;
    await api?.close();
    api = undefined;
    const error = await failureOf(client.get('x'));
    expect(error).toMatchObject({ code: 'unreachable', status: 0 });
    expect(error.message).toContain(`No answer from ${url}: connect ECONNREFUSED`);
  });

  it('takes no success for an answer that is not JSON', async () => {
    const client = await clientOf((_request, response) => void response.end('hello'));
    expect(await failureOf(client.get('x'))).toMatchObject({ code: 'unexpected_answer' });
  });
});

describe('watch', () => {
  it('resumes after the last state that it saw when the connection breaks', async () => {
    const client = await clientOf((request, response) => {
      beginStream(response);
      if (request.headers['last-event-id'] === '2') return void response.end(status(3, 'completed'));
      response.write(status(1, 'queued') + status(2, 'started') + progress(40), () => response.destroy());
    });
    expect(await collect(client.watch('x'))).toEqual(['queued', 'started', '40 %', 'completed']);
    expect(api?.requests.map((request) => request.headers['last-event-id'])).toEqual([undefined, '2']);
  });

  it('comes back to a service that was away', async () => {
    let requests = 0;
    const client = await clientOf((_request, response) => {
      requests += 1;
      if (requests === 2) return json(response, 503, { error: { code: 'shutting_down', message: '…' } });
      beginStream(response);
      if (requests === 1) response.write(status(1, 'queued'), () => response.destroy());
      else response.end(status(2, 'failed'));
    });
    expect(await collect(client.watch('x'))).toEqual(['queued', 'failed']);
  });

  it('leaves a connection that has fallen silent', async () => {
    let requests = 0;
    const client = await clientOf((_request, response) => {
      requests += 1;
      beginStream(response);
      if (requests === 2) response.end(status(1, 'completed'));
    });
    expect(await collect(client.watch('x', { silenceMs: 50 }))).toEqual(['completed']);
  });

  it('asks for the record where the stream ends without the final state', async () => {
    const client = await clientOf((request, response) => {
      if (!request.url?.endsWith('/events'))
        return json(response, 200, { status: 'completed', completedAt: '2026', attempt: 1 });
      beginStream(response);
      response.end();
    });
    expect(await collect(client.watch('x'))).toEqual(['completed']);
  });

  it('gives up on a service that stays away', async () => {
    const client = await clientOf((_request, response) => void response.destroy());
    expect(await failureOf(collect(client.watch('x', { patienceMs: 0 })))).toMatchObject({
      code: 'unreachable',
    });
  });

  it('does not ask again for what there is not', async () => {
    const client = await clientOf((_request, response) =>
      json(response, 404, { error: { code: 'not_found', message: '…' } }),
    );
    expect(await failureOf(collect(client.watch('x')))).toMatchObject({ code: 'not_found' });
    expect(api?.requests).toHaveLength(1);
  });

  it('ends with its signal', async () => {
    const client = await clientOf((_request, response) => beginStream(response));
    const reason = new Error('enough');
    const ending = new AbortController();
    setTimeout(() => ending.abort(reason), 20);
    await expect(collect(client.watch('x', { signal: ending.signal }))).rejects.toThrow(/enough|aborted/);
  });
});

describe('download', () => {
  const bytes = Buffer.from('a picture');
  const sha256 = createHash('sha256').update(bytes).digest('hex');

  it('leaves the whole file at its path, in folders that it makes', async () => {
    const client = await clientOf(
      (_request, response) => void response.writeHead(200, { etag: `"${sha256}"` }).end(bytes),
    );
    const path = join(folder, 'a', 'b.png');
    expect(await client.download('f-1', path)).toEqual({ path, sha256, sizeInBytes: bytes.length });
    expect(await readFile(path)).toEqual(bytes);
    expect(await readdir(join(folder, 'a'))).toEqual(['b.png']);
  });

  it('follows the service to a URL of the storage, without its key, and checks the hash all the same', async () => {
    const storage = await serve(
      (_request, response) => void response.writeHead(200, { etag: '"md5"' }).end(bytes),
    );
    const client = await clientOf(
      (_request, response) =>
        void response.writeHead(302, { etag: `"${sha256}"`, location: `${storage.url}/object?signed` }).end(),
    );
    const path = join(folder, 'b.png');
    expect(await client.download('f-1', path)).toEqual({ path, sha256, sizeInBytes: bytes.length });
    expect(storage.requests.map((request) => [request.url, request.headers.authorization])).toEqual([
      ['/object?signed', undefined],
    ]);
    await storage.close();
    expect(await failureOf(client.download('f-1', path))).toMatchObject({ code: 'unreachable' });
  });

  it('says which storage refused it', async () => {
    const storage = await serve((_request, response) => void response.writeHead(403).end('<Error/>'));
    const client = await clientOf(
      (_request, response) => void response.writeHead(302, { location: `${storage.url}/object` }).end(),
    );
    expect(await failureOf(client.download('f-1', join(folder, 'b.png')))).toMatchObject({
      code: 'unexpected_answer',
      status: 403,
      message: expect.stringContaining(storage.url),
    });
    await storage.close();
  });

  it.each([
    ['other bytes', { etag: `"${'0'.repeat(64)}"` }, 'checksum_mismatch'],
    ['no hash to check', {}, 'checksum_mismatch'],
    ['a body that breaks off', { etag: `"${sha256}"`, 'content-length': '100' }, 'unreachable'],
  ])('keeps nothing of %s', async (_name, headers, code) => {
    const client = await clientOf((_request, response) => {
      response.writeHead(200, headers);
      response.write(bytes, () => (code === 'unreachable' ? response.destroy() : response.end()));
    });
    expect(await failureOf(client.download('f-1', join(folder, 'b.png')))).toMatchObject({ code });
    expect(await readdir(folder)).toEqual([]);
  });
});

it("describes an export as the server's schema does", () => {
  expectTypeOf<PresentedExport>().toExtend<ExportRecord>();
  expectTypeOf<keyof ExportRecord>().toEqualTypeOf<keyof PresentedExport>();
});
