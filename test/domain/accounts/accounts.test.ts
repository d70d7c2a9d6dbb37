import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { newId } from '../../../src/core/ids.ts';
import { authenticate, keyKinds, listApiKeys, revokeApiKey } from '../../../src/domain/accounts/api-keys.ts';
import { reachMilestone } from '../../../src/domain/accounts/milestones.ts';
import {
  assertTimeZone,
  ensureOrganization,
  getOrganization,
  tierIn,
} from '../../../src/domain/accounts/organizations.ts';
import { countExports, findProject, nameProject } from '../../../src/domain/accounts/projects.ts';
import { ensureUser, findUser, setTier } from '../../../src/domain/accounts/users.ts';
import type { Tx } from '../../../src/platform/db/client.ts';
import {
  createKey,
  createOrganization,
  noon,
  openTestDatabase,
  outcomes,
  times,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const now = new Date(noon);
const inTransaction = <T>(work: (tx: Tx) => Promise<T>): Promise<T> => db.transaction().execute(work);

describe('an API key', () => {
  test.each(keyKinds)('of kind %s says whom it speaks for', async (kind) => {
    const organizationId = await createOrganization(db);
    const { id, key } = await createKey(db, organizationId, kind);
    expect(await authenticate(db, `Bearer ${key}`)).toEqual({ organizationId, keyId: id, kind });
  });

  test('is kept as a hash only', async () => {
    const { id, key } = await createKey(db, await createOrganization(db));
    const row = await db.selectFrom('api_key').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
    expect(row.hash).toEqual(createHash('sha256').update(key).digest());
    expect(row.prefix).toBe(key.slice(0, 12));
    expect(JSON.stringify({ ...row, hash: row.hash.toString('latin1') })).not.toContain(key.slice(12));
  });

  test('has 256 random bits, each its own', async () => {
    const organizationId = await createOrganization(db);
    const keys = await Promise.all(times(20, () => createKey(db, organizationId)));
    expect(new Set(keys.map(({ key }) => key)).size).toBe(20);
    for (const { key } of keys) expect(Buffer.from(key.slice('rm_sk_'.length), 'base64url')).toHaveLength(32);
  });

  test.each([
    ['nothing', undefined],
    ['an empty header', ''],
    ['another scheme', 'Basic cm1fc2tf'],
    ['no key', 'Bearer '],
    ['a key of another form', 'Bearer sk_live_123'],
    ['a key of the right form that was never given', `Bearer rm_sk_${'A'.repeat(43)}`],
    ['a very long one', `Bearer rm_sk_${'A'.repeat(100_000)}`],
    ['two keys', `Bearer rm_sk_${'A'.repeat(43)} rm_sk_${'A'.repeat(43)}`],
    ['SQL', "Bearer ' OR 1=1 --"],
  ])('is not found in %s', async (_name, header) => {
    await expect(authenticate(db, header)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('whose kind was rewritten by its holder is not one', async () => {
    const { key } = await createKey(db, await createOrganization(db), 'publishable');
    const forged = key.replace('rm_pk_', 'rm_sk_');
    await expect(authenticate(db, `Bearer ${forged}`)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  test('is taken with any spelling of Bearer', async () => {
    const { id, key } = await createKey(db, await createOrganization(db));
    expect(await authenticate(db, `bearer  ${key} `)).toMatchObject({ keyId: id });
  });

  test('that is revoked is refused from then on, and stays in the list', async () => {
    const organizationId = await createOrganization(db);
    const { id, key } = await createKey(db, organizationId);
    await revokeApiKey(db, organizationId, id, now);
    await expect(authenticate(db, `Bearer ${key}`)).rejects.toMatchObject({ code: 'unauthenticated' });
    expect(await listApiKeys(db, organizationId)).toMatchObject([{ id, revoked_at: now }]);
    expect((await listApiKeys(db, organizationId))[0]).not.toHaveProperty('hash');
    await expect(revokeApiKey(db, organizationId, id, now)).rejects.toThrow(`Key ${id} is revoked already.`);
  });

  test('of another organization, or of none, cannot be revoked', async () => {
    const { id, key } = await createKey(db, await createOrganization(db));
    const other = await createOrganization(db);
    for (const wrong of [id, newId(), '../1']) {
      await expect(revokeApiKey(db, other, wrong, now)).rejects.toMatchObject({ code: 'not_found' });
    }
    await expect(authenticate(db, `Bearer ${key}`)).resolves.toMatchObject({ keyId: id });
  });
});

describe('an organization', () => {
  test('is made at first sight; again it keeps what it has', async () => {
    const id = await createOrganization(db, { timeZone: 'Europe/Berlin' });
    const before = await getOrganization(db, id);
    await inTransaction((tx) => ensureOrganization(tx, { id, name: 'Other', timeZone: 'UTC' }));
    expect(await getOrganization(db, id)).toEqual(before);
    expect(before.time_zone).toBe('Europe/Berlin');
    expect(before.link_secret).toHaveLength(32);
  });

  test('says whether it was made', async () => {
    const id = `new-${newId()}`;
    expect(await inTransaction((tx) => ensureOrganization(tx, { id }))).toBe(true);
    expect(await inTransaction((tx) => ensureOrganization(tx, { id }))).toBe(false);
  });

  test.each(['a', '0', 'a_b-c', 'a'.repeat(63)])('may have the id %j', async (id) => {
    await inTransaction((tx) => ensureOrganization(tx, { id }));
    expect(await getOrganization(db, id)).toMatchObject({ id });
  });

  test.each(['', 'Acme', '-a', '_a', 'a b', 'a!', 'ä', 'a\n', 'a'.repeat(64), '../a'])(
    'may not have the id %j',
    async (id) => {
      await expect(inTransaction((tx) => ensureOrganization(tx, { id }))).rejects.toMatchObject({
        code: 'invalid_request',
        message: expect.stringContaining('1-63 characters, beginning with a letter or digit'),
      });
    },
  );

  test('that does not exist is not found', async () => {
    await expect(getOrganization(db, 'nobody')).rejects.toMatchObject({ code: 'not_found' });
  });

  test('changes the tiers as it says', async () => {
    const id = await createOrganization(db, { tiers: { free: { dailyExports: 7 } } });
    const organization = await getOrganization(db, id);
    expect(tierIn(organization, 'free')).toMatchObject({ dailyExports: 7, maxDurationSeconds: 30 });
    expect(tierIn(organization, 'pro').dailyExports).toBe(50);
  });

  test.each(['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'America/Argentina/Buenos_Aires'])(
    'may be in %s',
    (timeZone) => {
      expect(() => assertTimeZone(timeZone)).not.toThrow();
    },
  );

  // An offset means one thing to JavaScript and its opposite to Postgres, which reads it as POSIX does.
  test.each(['Mars/Olympus', '', 'Berlin', '+05:30', '-08:00', "UTC'; DROP TABLE export; --"])(
    'may not be in %j',
    (timeZone) => {
      expect(() => assertTimeZone(timeZone)).toThrow(/is not a time zone/);
    },
  );
});

describe('a user', () => {
  test('is made at first sight, tier free, also by ten at once', async () => {
    const organizationId = await createOrganization(db);
    const { codes, fulfilled } = await outcomes(
      times(10, () => inTransaction((tx) => ensureUser(tx, organizationId, 'u'))),
    );
    expect(codes).toEqual([]);
    expect(new Set(fulfilled.map((user) => user.tier))).toEqual(new Set(['free']));
  });

  test('keeps the tier that was set', async () => {
    const organizationId = await createOrganization(db);
    await inTransaction((tx) => setTier(tx, organizationId, 'u', 'pro', now));
    expect(await inTransaction((tx) => ensureUser(tx, organizationId, 'u'))).toMatchObject({ tier: 'pro' });
    await inTransaction((tx) => setTier(tx, organizationId, 'u', 'credits', now));
    expect(await findUser(db, organizationId, 'u')).toMatchObject({ tier: 'credits' });
  });

  test('of another organization is another user', async () => {
    const [one, other] = [await createOrganization(db), await createOrganization(db)];
    await inTransaction((tx) => setTier(tx, one, 'u', 'pro', now));
    expect(await findUser(db, other, 'u')).toBeUndefined();
  });
});

describe('a project', () => {
  test('is made by its first export or by its name, whichever comes first', async () => {
    const organizationId = await createOrganization(db);
    const project = { organizationId, projectId: 'p' };
    await inTransaction((tx) => countExports(tx, project, 2, now));
    await inTransaction((tx) => nameProject(tx, project, 'Spring', now));
    expect(await findProject(db, project)).toMatchObject({
      name: 'Spring',
      export_count: 2,
      last_export_at: now,
    });
    const named = { organizationId, projectId: 'q' };
    await inTransaction((tx) => nameProject(tx, named, 'Summer', now));
    await inTransaction((tx) => countExports(tx, named, 1, now));
    expect(await findProject(db, named)).toMatchObject({
      name: 'Summer',
      export_count: 1,
      last_export_at: now,
    });
  });

  test('counts 50 acceptances at once as 50', async () => {
    const project = { organizationId: await createOrganization(db), projectId: 'p' };
    await Promise.all(times(50, () => inTransaction((tx) => countExports(tx, project, 1, now))));
    expect(await findProject(db, project)).toMatchObject({ export_count: 50 });
  });
});

describe('a milestone', () => {
  test('is reached once, by exactly one of ten at once', async () => {
    const reached = { organizationId: 'o', userId: 'u', name: 'first_render', at: now };
    const { fulfilled } = await outcomes(times(10, () => inTransaction((tx) => reachMilestone(tx, reached))));
    expect(fulfilled.filter(Boolean)).toHaveLength(1);
    expect(await inTransaction((tx) => reachMilestone(tx, reached))).toBe(false);
  });

  test('is not reached by a transaction that rolled back', async () => {
    const reached = { organizationId: 'o', userId: 'rolls back', name: 'first_render', at: now };
    const broken = inTransaction(async (tx) => {
      await reachMilestone(tx, reached);
      throw new Error('no');
    });
    await expect(broken).rejects.toThrow('no');
    expect(await inTransaction((tx) => reachMilestone(tx, reached))).toBe(true);
  });

  test('belongs to one user, one organization and one name', async () => {
    const reached = { organizationId: 'o2', userId: 'u', name: 'first_render', at: now };
    const others = [{ organizationId: 'o3' }, { userId: 'v' }, { name: 'first_download' }, {}];
    for (const other of others)
      expect(await inTransaction((tx) => reachMilestone(tx, { ...reached, ...other }))).toBe(true);
  });
});
