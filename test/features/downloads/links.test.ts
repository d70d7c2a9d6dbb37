import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { createSignedLink, verifySignedLink } from '../../../src/features/downloads/signed-link.ts';
import { createTenant, refusalOf, storeExport } from '../../support/api.ts';
import { createKey, createUser, hours, noon } from '../../support/factories.ts';
import { bytesOf } from './download-events.ts';
import { content, openDownloadScene } from './download-scene.ts';

const { api, given, expectEvents } = await openDownloadScene();

describe('a signed link', () => {
  const createLink = async (body: Record<string, unknown> = {}) => {
    const response = await api.call('/api/render/download-link', {
      key: given.tenant.key,
      body: { fileId: given.file.fileId, ...body },
    });
    return (await response.json()) as { url: string; expiresAt: string };
  };
  const change = (url: string, name: string, value: string) => {
    const changed = new URL(url);
    changed.searchParams.set(name, value);
    return changed;
  };

  test('gives the file without a key, for an hour unless told otherwise', async () => {
    const { url, expiresAt } = await createLink();
    expect(url.startsWith(`${api.url}/api/render/download?`)).toBe(true);
    expect(expiresAt).toBe('2026-03-10T13:00:00.000Z');
    expect(await bytesOf(await fetch(url))).toEqual(content);
    expect((await createLink({ expiresInSeconds: 60 })).expiresAt).toBe('2026-03-10T12:01:00.000Z');
  });

  test('works to its last second and no longer', async () => {
    const { url } = await createLink({ expiresInSeconds: 60 });
    api.clock.advance(59_999);
    expect((await fetch(url)).status).toBe(200);
    api.clock.advance(1);
    expect(await refusalOf(await fetch(url))).toMatchObject({ status: 403, code: 'link_invalid' });
  });

  test('that was tampered with is 403, and does not say in what', async () => {
    const { url } = await createLink();
    const another = await storeExport(api, given.who);
    const signature = new URL(url).searchParams.get('signature') ?? '';
    const flipped = (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1);
    const later = String(Math.floor(new Date(noon).getTime() / 1000) + 7200);
    for (const wrong of [
      change(url, 'fileId', another.fileId),
      change(url, 'expires', later),
      change(url, 'signature', flipped),
      change(url, 'signature', signature.slice(0, -4)),
      change(url, 'signature', ''),
      // A forgiving decoder would read these as the same signature, and each would count as a link of its own.
      change(url, 'signature', `${signature}=`),
      change(url, 'signature', `${signature}!`),
      change(url, 'signature', `${signature}\n`),
    ]) {
      expect(await refusalOf(await fetch(wrong))).toMatchObject({ status: 403, code: 'link_invalid' });
    }
    await expectEvents([]);
  });

  test('of one organization opens no file of another', async () => {
    const { url } = await createLink();
    const other = await createTenant(api);
    const theirs = await storeExport(api, await createUser(api.db, other.organizationId));
    expect(await refusalOf(await fetch(change(url, 'fileId', theirs.fileId)))).toMatchObject({
      status: 403,
      code: 'link_invalid',
    });
  });

  test('without its expiry is no credential', async () => {
    const url = new URL((await createLink()).url);
    url.searchParams.delete('expires');
    expect(await refusalOf(await fetch(url))).toMatchObject({ status: 401, code: 'unauthenticated' });
  });

  test('serves ranges and HEAD as well', async () => {
    const { url } = await createLink();
    expect(await bytesOf(await fetch(url, { headers: { range: 'bytes=10-19' } }))).toEqual(
      content.subarray(10, 20),
    );
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
  });

  test.each([
    { expiresInSeconds: 0 },
    { expiresInSeconds: 7 * 24 * 3600 + 1 },
    { expiresInSeconds: 1.5 },
    { forever: true },
  ])('with %j is 400', async (body) => {
    const response = await api.call('/api/render/download-link', {
      key: given.tenant.key,
      body: { fileId: given.file.fileId, ...body },
    });
    expect(await refusalOf(response)).toMatchObject({ status: 400, code: 'invalid_request' });
  });

  test('is made with a secret key only, for a file that exists', async () => {
    const { key } = await createKey(api.db, given.tenant.organizationId, 'publishable');
    const body = { fileId: given.file.fileId };
    expect((await api.call('/api/render/download-link', { body })).status).toBe(401);
    expect((await api.call('/api/render/download-link', { key, body })).status).toBe(403);
    const missing = { key: given.tenant.key, body: { fileId: newId() } };
    expect((await api.call('/api/render/download-link', missing)).status).toBe(404);
  });

  test('is signed with the secret of its organization: another secret does not fit', () => {
    const [secret, other] = [randomBytes(32), randomBytes(32)];
    const link = createSignedLink(secret, 'file', new Date(noon));
    expect(() => verifySignedLink(secret, link, new Date(0))).not.toThrow();
    expect(() => verifySignedLink(other, link, new Date(0))).toThrow(
      expect.objectContaining({ code: 'link_invalid' }),
    );
  });
});

test('a link made long before still opens its file, whatever happened to the clock of the client', async () => {
  const response = await api.call('/api/render/download-link', {
    key: given.tenant.key,
    body: { fileId: given.file.fileId, expiresInSeconds: 604_800 },
  });
  const { url } = (await response.json()) as { url: string };
  api.clock.advance(hours(24 * 6));
  expect((await fetch(url)).status).toBe(200);
});
