import { describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { createTenant, refusalOf } from '../../support/api.ts';
import { createKey } from '../../support/factories.ts';
import { openArchiveScene } from './archive-scene.ts';
import { storeBatch } from './stored-batch.ts';

const { api, given, zip, ofBatch, expectEvents, namesIn } = await openArchiveScene();

describe('who may have an archive', () => {
  test('nobody without a key or a signature, and nobody with a publishable key', async () => {
    const { key } = await createKey(api.db, given.tenant.organizationId, 'publishable');
    expect(await refusalOf(await api.call(`/api/export/zip?${ofBatch()}`))).toMatchObject({ status: 401 });
    expect(await refusalOf(await zip(ofBatch(), { key }))).toMatchObject({ status: 403, code: 'forbidden' });
    const link = { body: { campaignId: given.batch.id } };
    expect((await api.call('/api/export/zip-link', link)).status).toBe(401);
    expect((await api.call('/api/export/zip-link', { ...link, key })).status).toBe(403);
  });

  test('not another organization: for it there is no such campaign, nor for its links', async () => {
    const other = await createTenant(api);
    for (const query of [ofBatch(), 'campaignId=spring%20sale'])
      expect(await refusalOf(await zip(query, { key: other.key }))).toMatchObject({
        status: 404,
        code: 'not_found',
      });
    const link = { key: other.key, body: { campaignId: given.batch.id } };
    expect(await refusalOf(await api.call('/api/export/zip-link', link))).toMatchObject({ status: 404 });
  });

  test.each([
    ['nothing', ''],
    ['both', `campaignId=x&fileIds=${newId()}`],
    ['an empty list', 'fileIds='],
    ['a list of commas', 'fileIds=,,'],
    ['an unknown layout', 'campaignId=x&layout=upside-down'],
    ['a manifest of another kind', 'campaignId=x&manifest=maybe'],
    ['an expiry that is no number', 'campaignId=x&expires=tomorrow&signature=x'],
  ])('by %s is 400', async (_name, query) => {
    expect(await refusalOf(await zip(query))).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('a signed link to an archive', () => {
  const linkOf = async (body: Record<string, unknown>) => {
    const response = await api.call('/api/export/zip-link', { key: given.tenant.key, body });
    expect(response.status).toBe(200);
    return (await response.json()) as { url: string; expiresAt: string };
  };
  const options = { layout: 'flat', manifest: true, partial: true };

  test('gives it without a key, until it expires', async () => {
    const { url, expiresAt } = await linkOf({ campaignId: 'spring sale', ...options, expiresInSeconds: 60 });
    expect(url.startsWith(`${api.url}/api/export/zip?campaignId=${given.batch.id}&`)).toBe(true);
    expect(expiresAt).toBe('2026-03-10T12:01:00.000Z');
    expect(await namesIn(await fetch(url))).toHaveLength(4);
    expect((await fetch(url, { method: 'HEAD' })).status).toBe(200);
    api.clock.advance(59_999);
    expect((await fetch(url)).status).toBe(200);
    api.clock.advance(1);
    expect(await refusalOf(await fetch(url))).toMatchObject({ status: 403, code: 'link_invalid' });
  });

  test('to a list of files opens these files', async () => {
    const { url } = await linkOf({ fileIds: given.batch.files.map((file) => file.fileId) });
    expect(await namesIn(await fetch(url))).toHaveLength(3);
  });

  test('that was tampered with in any parameter is 403, and does not say in what', async () => {
    const other = await createTenant(api);
    const another = await storeBatch(api, given.who, [{ variant: 'secret' }], { campaignId: 'another' });
    const { url } = await linkOf({ campaignId: given.batch.id, ...options });
    const files = await linkOf({ fileIds: given.batch.files.map((file) => file.fileId) });
    const single = await api.call('/api/render/download-link', {
      key: given.tenant.key,
      body: { fileId: another.files[0]?.fileId },
    });
    const singleLink = new URL(((await single.json()) as { url: string }).url).searchParams;
    const change = (from: string, name: string, value: string | null) => {
      const changed = new URL(from);
      if (value === null) changed.searchParams.delete(name);
      else changed.searchParams.set(name, value);
      return changed;
    };
    const signature = new URL(url).searchParams.get('signature') ?? '';
    const wrong = [
      change(url, 'campaignId', another.id),
      change(url, 'campaignId', 'spring sale'),
      change(url, 'layout', 'locale-first'),
      change(url, 'layout', null),
      change(url, 'manifest', 'false'),
      change(url, 'manifest', null),
      change(url, 'partial', 'false'),
      change(url, 'partial', null),
      change(url, 'organization', other.organizationId),
      change(url, 'organization', 'nobody'),
      change(url, 'expires', String(Number(new URL(url).searchParams.get('expires')) + 1)),
      change(url, 'signature', (signature[0] === 'A' ? 'B' : 'A') + signature.slice(1)),
      change(url, 'signature', `${signature}=`),
      change(url, 'signature', ''),
      change(url, 'signature', new URL(files.url).searchParams.get('signature')),
      change(files.url, 'fileIds', another.files[0]?.fileId ?? ''),
      change(
        files.url,
        'fileIds',
        `${new URL(files.url).searchParams.get('fileIds')},${another.files[0]?.fileId}`,
      ),
      // Of a single file's link: another purpose.
      change(
        change(files.url, 'signature', singleLink.get('signature')).href,
        'expires',
        singleLink.get('expires'),
      ),
    ];
    for (const one of wrong)
      expect([one.search, await refusalOf(await fetch(one))]).toMatchObject([
        one.search,
        { status: 403, code: 'link_invalid' },
      ]);
    for (const missing of ['expires', 'organization'])
      expect(await refusalOf(await fetch(change(url, missing, null)))).toMatchObject({ status: 401 });
    await expectEvents([]);
  });
});
