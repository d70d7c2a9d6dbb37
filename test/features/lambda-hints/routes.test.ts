import { createHmac } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { openTestApi, startTestApi } from '../../support/api.ts';

const secret = 'a-secret-of-the-operator';
const path = '/api/lambda/webhook';

const api = await openTestApi({ environment: { LAMBDA_WEBHOOK_SECRET: secret } });
const heard: string[] = [];
api.listener.on('rendermill_lambda', (renderId) => void heard.push(renderId));
afterEach(() => void heard.splice(0));

/** As Remotion's `calculateSignature` makes it. */
const signatureOf = (body: string, key = secret): string =>
  `sha512=${createHmac('sha512', key).update(body).digest('hex')}`;

const send = (text: string, signature = signatureOf(text), headers: Record<string, string> = {}) =>
  api.call(path, {
    text,
    headers: {
      'x-remotion-mode': 'production',
      'x-remotion-status': 'success',
      'x-remotion-signature': signature,
      ...headers,
    },
  });

const payload = (renderId: string, more: Record<string, unknown> = {}): string =>
  JSON.stringify({
    type: 'success',
    renderId,
    expectedBucketOwner: '123456789012',
    bucketName: 'remotionlambda-useast1-abc',
    customData: { id: 'export-1' },
    outputUrl: 'https://remotionlambda-useast1-abc.s3.us-east-1.amazonaws.com/outputs/x.mp4',
    lambdaErrors: [],
    timeToFinish: 4200,
    costs: { accruedSoFar: 0.002, currency: 'USD' },
    ...more,
  });

/** Each is committed before the next is sent, and notifications arrive in the order of commits. */
const heardBefore = async (marker: string): Promise<string[]> => {
  expect((await send(payload(marker))).status).toBe(204);
  await vi.waitFor(() => expect(heard).toContain(marker), { timeout: 10_000 });
  return heard.filter((renderId) => renderId !== marker);
};

const codeOf = (answer: unknown): string => (answer as { error: { code: string } }).error.code;

it('wakes whoever watches the render, as often as it is told', async () => {
  expect((await send(payload('bhjqz3vn4x'))).status).toBe(204);
  expect((await send(payload('bhjqz3vn4x'))).status).toBe(204);
  expect(await heardBefore('marker')).toEqual(['bhjqz3vn4x', 'bhjqz3vn4x']);
});

it.each([
  ['with letters beyond ASCII', payload('r1', { outputUrl: 'https://example.com/Frühstück-🥐.mp4' })],
  ['that JSON would write in another way', '{ "renderId":"r1", "n": 1.0, "e": "\\u00e9",\n"type":"error" }'],
  ['whose keys come twice', '{"renderId":"r0","renderId":"r1"}'],
])('verifies the bytes of a body %s', async (_what, text) => {
  expect((await send(text)).status).toBe(204);
  expect(await heardBefore('marker')).toEqual(['r1']);
});

it.each([
  ['none', ''],
  ["Remotion's word for none", 'NO_SECRET_PROVIDED'],
  ['one of another secret', signatureOf(payload('r1'), 'another-secret-by-far')],
  ['one of another body', signatureOf(payload('r2'))],
  ['one of another hash', `sha256=${createHmac('sha256', secret).update(payload('r1')).digest('hex')}`],
  ['half of one', signatureOf(payload('r1')).slice(0, 71)],
  ['one in capitals', signatureOf(payload('r1')).toUpperCase()],
])('refuses %s as signature, without a word of why', async (_what, signature) => {
  const refused = await send(payload('r1'), signature);
  expect(refused.status).toBe(401);
  expect(await refused.json()).toMatchObject({
    error: { code: 'unauthenticated', message: 'The signature is not valid.' },
  });
  expect(await heardBefore('marker')).toEqual([]);
});

it('asks for a signature before it reads: nobody learns what would be accepted', async () => {
  expect((await send('{', 'NO_SECRET_PROVIDED')).status).toBe(401);
  const empty = await api.call(path, { method: 'POST' });
  expect(empty.status).toBe(401);
});

it.each([
  ['no JSON', '{"renderId":', 'invalid_json'],
  ['no render', '{"type":"success"}', 'invalid_request'],
  ['a render of no possible name', payload('a b'), 'invalid_request'],
  ['a list', '[]', 'invalid_request'],
])('refuses a signed body with %s', async (_what, text, code) => {
  const refused = await send(text);
  expect([refused.status, codeOf(await refused.json())]).toEqual([400, code]);
  expect(await heardBefore('marker')).toEqual([]);
});

it('reads no more than a megabyte', async () => {
  const refused = await send(payload('r1', { lambdaErrors: 'x'.repeat(1024 * 1024) }));
  expect([refused.status, codeOf(await refused.json())]).toEqual([413, 'payload_too_large']);
});

it('takes JSON only, and needs no API key', async () => {
  const refused = await send(payload('r1'), undefined, { 'content-type': 'text/plain' });
  expect(refused.status).toBe(415);
});

it('does not exist without a secret', async () => {
  const without = await startTestApi({ databaseUrl: api.databaseUrl });
  try {
    const text = payload('r1');
    const headers = { 'x-remotion-signature': signatureOf(text, '') };
    const answer = await without.call(path, { text, headers });
    expect(answer.status).toBe(404);
    expect(await heardBefore('marker')).toEqual([]);
  } finally {
    await without.close();
  }
});
