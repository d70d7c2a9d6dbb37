import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findService } from '../../../src/apps/cli/find-service.ts';
import { leaveAddress } from '../../../src/apps/up/address-file.ts';

const ownUrl = 'http://127.0.0.1:3137';
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'rendermill-address-'));
});
afterEach(() => rm(home, { recursive: true }));

const isUp = async () => {
  await leaveAddress(home, ownUrl);
  await writeFile(join(home, 'development-key'), 'rm_sk_own\n');
};
const find = (options: { url?: string; key?: string } = {}, more: Record<string, string> = {}) =>
  findService(options, { RENDERMILL_HOME: home, ...more });

describe('the service that a command uses', () => {
  it('is the one that is up in the folder, with its key', async () => {
    await isUp();
    expect(await find()).toEqual({ url: ownUrl, key: 'rm_sk_own' });
    expect(await find({ url: `${ownUrl}/` })).toEqual({ url: `${ownUrl}/`, key: 'rm_sk_own' });
  });

  it('is the one that is named, by an option before the environment', async () => {
    await isUp();
    const variables = { RENDERMILL_URL: 'http://b.example', RENDERMILL_API_KEY: 'b' };
    expect(await find({}, variables)).toEqual({ url: 'http://b.example', key: 'b' });
    expect(await find({ url: 'http://a.example', key: 'a' }, variables)).toEqual({
      url: 'http://a.example',
      key: 'a',
    });
  });

  it('is on port 3000 where nothing is up and a key is given', async () => {
    expect(await find({ key: 'k' })).toEqual({ url: 'http://127.0.0.1:3000', key: 'k' });
  });

  it.each(['http://127.0.0.1:3000', 'http://evil.example:3137', 'http://127.0.0.1:3137/other'])(
    'at another address never gets the key of the folder: %s',
    async (url) => {
      await isUp();
      const refusal = { code: 'unauthenticated', message: expect.stringContaining(`is for ${ownUrl}`) };
      await expect(find({ url })).rejects.toMatchObject(refusal);
      await expect(find({}, { RENDERMILL_URL: url })).rejects.toMatchObject(refusal);
    },
  );

  it('gets no key that an earlier up left', async () => {
    await writeFile(join(home, 'development-key'), 'rm_sk_own\n');
    await expect(find()).rejects.toMatchObject({
      code: 'unauthenticated',
      message: expect.stringContaining(`not up in ${home}`),
    });
  });
});
