import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { beforeEach, describe, expect, test } from 'vitest';
import { maxLevels } from '../../../src/core/nesting.ts';
import { createTenant, openTestApi, refusalOf, type Tenant } from '../../support/api.ts';
import { countRows } from '../../support/factories.ts';

const api = await openTestApi();
let tenant: Tenant;
beforeEach(async () => {
  tenant = await createTenant(api);
});

const still = { userId: 'ann', projectId: 'spring', compositionId: 'hero-ad', kind: 'still', format: 'png' };
const post = (body: unknown, headers: Record<string, string> = {}) =>
  api.call('/api/render', { key: tenant.key, body, headers });
const postText = (text: string, headers: Record<string, string> = {}) =>
  api.call('/api/render', { key: tenant.key, text, headers });

const nothingWasWritten = async () => {
  expect(await countRows(api.db, 'export', tenant.organizationId)).toBe(0);
  expect(await countRows(api.db, 'end_user', tenant.organizationId)).toBe(0);
};

describe('a body that is none', () => {
  const text = JSON.stringify(still);
  test.each([
    ['truncated', text.slice(0, -5), 400, 'invalid_json'],
    ['NaN', '{"width": NaN}', 400, 'invalid_json'],
    ['NaN alone', 'NaN', 400, 'invalid_json'],
    ['empty', '', 400, 'invalid_json'],
    ['not JSON', 'userId=ann', 400, 'invalid_json'],
    ['__proto__', `{"__proto__": {"admin": true}, ${text.slice(1)}`, 400, 'invalid_json'],
    [
      '__proto__ deep in the props',
      text.replace('}', ',"props":{"a":{"__proto__":{"x":1}}}}'),
      400,
      'invalid_json',
    ],
    [
      'constructor.prototype',
      text.replace('}', ',"props":{"constructor":{"prototype":{"x":1}}}}'),
      400,
      'invalid_json',
    ],
    ['a number that no double holds', text.replace('}', ',"width":1e999}'), 400, 'invalid_request'],
  ])('%s', async (_name, body, status, code) => {
    expect(await refusalOf(await postText(body))).toMatchObject({ status, code });
    await nothingWasWritten();
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'multipart/form-data; boundary=x',
  ])('%s is 415', async (type) => {
    expect(await refusalOf(await postText(text, { 'content-type': type }))).toMatchObject({
      status: 415,
      code: 'unsupported_media_type',
    });
  });

  test('with a character set is JSON all the same', async () => {
    expect((await postText(text, { 'content-type': 'application/json; charset=utf-8' })).status).toBe(202);
  });

  test('with text that Postgres cannot keep is a mistake of the request, not of ours', async () => {
    for (const title of ['\\u0000', '\\ud83d']) {
      const body = JSON.stringify({ ...still, compositionId: 'open' }).replace(
        '}',
        `,"props":{"title":"a${title}"}}`,
      );
      expect(await refusalOf(await postText(body))).toMatchObject({ status: 400, code: 'invalid_request' });
    }
    await nothingWasWritten();
  });

  test('nested without end is refused, with and without an idempotency key', async () => {
    for (const levels of [maxLevels + 1, 100_000]) {
      const props = `{"a":${'['.repeat(levels)}${']'.repeat(levels)}}`;
      const body = JSON.stringify({ ...still, compositionId: 'open' }).replace('}', `,"props":${props}}`);
      for (const headers of [{}, { 'idempotency-key': 'deep' }]) {
        expect(await refusalOf(await postText(body, headers))).toMatchObject({
          status: 400,
          code: 'invalid_request',
        });
      }
    }
    await nothingWasWritten();
  });

  test('of a little under 1 MB goes through, and of 1 MB and a little is 413', async () => {
    const filled = (bytes: number) => ({
      ...still,
      compositionId: 'open',
      props: { text: 'x'.repeat(bytes) },
    });
    expect((await post(filled(1024 * 1024 - 500))).status).toBe(202);
    const tooLong = filled(1024 * 1024 + 1);
    const sizeInBytes = Buffer.byteLength(JSON.stringify(tooLong));
    const limit = 1024 * 1024;
    const advice = 'Send less at once; media goes by its URL or in the bundle.';
    expect(await refusalOf(await post(tooLong))).toMatchObject({
      status: 413,
      code: 'payload_too_large',
      message: `The body has ${sizeInBytes} bytes, and at most 1 MB (${limit} bytes) are taken here. ${advice}`,
      details: { limit, sizeInBytes },
    });
    const inPieces = await fetch(`${api.url}/api/render`, {
      method: 'POST',
      headers: { authorization: `Bearer ${tenant.key}`, 'content-type': 'application/json' },
      body: new Blob([JSON.stringify(tooLong)]).stream(),
      duplex: 'half',
    } as RequestInit);
    const refusal = await refusalOf(inPieces);
    expect(refusal).toMatchObject({
      status: 413,
      message: `The body has more than the 1 MB (${limit} bytes) that are taken here. ${advice}`,
    });
    expect(refusal.details).toEqual({ limit });
  });
});

describe('a body of 10 MB', () => {
  const headersOf = (key: string) => ({ authorization: `Bearer ${key}`, 'content-type': 'application/json' });

  test('is answered with 413 before it was sent, and the connection ends', async () => {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    const lines = Object.entries({
      ...headersOf(tenant.key),
      host: 'x',
      'content-length': String(10 * 1024 * 1024),
    });
    socket.write(
      `POST /api/render HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`,
    );
    let answer = '';
    socket.on('data', (data) => {
      answer += data;
    });
    await once(socket, 'end');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toMatch(/^connection: close/im);
    expect(answer).toContain('payload_too_large');
    socket.destroy();
  });

  test('that is sent without a length is cut off, and the next request of the same client is answered', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const answered = (chunks: number) =>
      new Promise<number>((resolve) => {
        const sent = httpRequest(
          `${api.url}/api/render`,
          { method: 'POST', agent, headers: headersOf(tenant.key) },
          (response) => {
            response.resume().once('close', () => resolve(response.statusCode ?? 0));
          },
        );
        // The server may end the connection while we still send.
        sent.on('error', () => resolve(0));
        for (let chunk = 0; chunk < chunks; chunk++) sent.write('x'.repeat(1024 * 1024));
        sent.end(JSON.stringify(still));
      });
    expect([413, 0]).toContain(await answered(10));
    expect(await answered(0)).toBe(202);
    agent.destroy();
  });
});
