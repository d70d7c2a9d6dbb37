import { afterAll, describe, expect, test } from 'vitest';
import { reachMilestones } from '../../../src/domain/accounts/milestones.ts';
import { setTier } from '../../../src/domain/accounts/users.ts';
import { forgetPerson } from '../../../src/domain/projection/forget-person.ts';
import { projectEvents } from '../../../src/domain/projection/project-events.ts';
import {
  countRows,
  createOrganization,
  hours,
  noon,
  openTestDatabase,
  times,
} from '../../support/factories.ts';
import { createProjector, record } from './projector.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const projector = createProjector(db);

const valuesOf = (organizationId: string, event: string, name: string): unknown[] =>
  projector.seen(organizationId, event).map(({ values }) => values[name]);

const upTo = (count: number): number[] => times(count, (index) => index + 1);

const usesOf = async (organizationId: string): Promise<Record<string, number>> => {
  const rows = await db
    .selectFrom('event_use')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .orderBy('event_name')
    .orderBy('user_id')
    .execute();
  return Object.fromEntries(rows.map((row) => [`${row.event_name} ${row.user_id}`.trim(), row.uses]));
};

const days = (count: number): number => hours(24 * count);

describe('uses', () => {
  test('are counted right while eight write at once, in small pages that are read all the while', async () => {
    const organizationId = await createOrganization(db);
    const users = ['ann', 'ben', 'cat'];
    const writers = times(8, async (writer) => {
      for (const index of times(30, (at) => at)) {
        const userId = users[(writer + index) % users.length] ?? '';
        await record(db, organizationId, 'upload_started', { userId });
      }
    });
    let writing = true;
    const reading = (async () => {
      while (writing) await projector.run(7);
    })();
    await Promise.all(writers);
    writing = false;
    await reading;
    await projector.run(7);

    expect(valuesOf(organizationId, 'upload_started', 'org_use_index')).toEqual(upTo(240));
    for (const userId of users) {
      const mine = projector
        .seen(organizationId, 'upload_started')
        .filter((event) => event.userId === userId)
        .map(({ values }) => values);
      expect(mine.map((values) => values.user_use_index)).toEqual(upTo(80));
      expect(mine.filter((values) => values.is_first_user_use)).toHaveLength(1);
      expect(mine.filter((values) => values.is_second_user_use)).toHaveLength(1);
    }
    expect(await usesOf(organizationId)).toEqual({
      upload_started: 240,
      'upload_started ann': 80,
      'upload_started ben': 80,
      'upload_started cat': 80,
    });
  });

  test('of a page that was rolled back are not counted, and its conclusions are not told', async () => {
    const organizationId = await createOrganization(db);
    await record(db, organizationId, 'upload_started', { userId: 'ann', source: 'web' });
    await record(db, organizationId, 'landing_view', { distinctId: 'v', source: 'web' });
    await projector.run();
    const events = projector.seen(organizationId);
    const broken = db.transaction().execute(async (tx) => {
      await projectEvents(tx, events, new Map(), new Date(noon));
      throw new Error('the dispatcher was killed');
    });
    await expect(broken).rejects.toThrow('killed');
    expect(await usesOf(organizationId)).toEqual({ upload_started: 1, 'upload_started ann': 1 });
    await projector.run();
    expect(projector.seen(organizationId, 'first_landing_recorded')).toHaveLength(1);
  });

  test('of many users of many tenants in one page are kept apart', async () => {
    const organizations = await Promise.all(times(3, () => createOrganization(db)));
    const everybody = organizations.flatMap((id) => times(40, (index) => ({ id, userId: `user-${index}` })));
    for (const { id, userId } of [...everybody, ...everybody])
      await record(db, id, 'job_created', { userId });
    await projector.run();
    for (const id of organizations) {
      expect(valuesOf(id, 'job_created', 'org_use_index')).toEqual(upTo(80));
      expect(valuesOf(id, 'job_created', 'user_use_index')).toEqual([
        ...times(40, () => 1),
        ...times(40, () => 2),
      ]);
      expect(await countRows(db, 'event_use', id)).toBe(41);
      expect(await countRows(db, 'person_activity', id)).toBe(40);
    }
  });

  test('are not confused by ids with quotes, backslashes, emoji or names of objects', async () => {
    const organizationId = await createOrganization(db);
    const odd = ['__proto__', 'constructor', `it's "\\u0000" {}`, '𝕬𝖓𝖓 😀', ' ', 'x'.repeat(200)];
    for (const userId of [...odd, ...odd]) await record(db, organizationId, 'job_created', { userId });
    await projector.run();
    expect(valuesOf(organizationId, 'job_created', 'user_use_index')).toEqual([
      ...times(odd.length, () => 1),
      ...times(odd.length, () => 2),
    ]);
  });
});

describe('a user', () => {
  test('has its first login once, over pages, and what it does later is told the time since', async () => {
    const organizationId = await createOrganization(db);
    const user = { userId: 'ann' };
    await record(db, organizationId, 'login_success', user);
    await projector.run();
    await record(db, organizationId, 'login_success', { ...user, minute: 1 });
    await record(db, organizationId, 'job_created', { ...user, minute: 2 });
    await record(db, organizationId, 'login_success', { userId: 'ben', minute: 2 });
    await projector.run();
    expect(valuesOf(organizationId, 'login_success', 'is_first_login')).toEqual([true, false, true]);
    expect(valuesOf(organizationId, 'job_created', 'seconds_since_first_login')).toEqual([120]);
  });

  test('has an account whose age is told, in its own organization only', async () => {
    const [organizationId, other] = [await createOrganization(db), await createOrganization(db)];
    await db.transaction().execute((tx) => setTier(tx, organizationId, 'ann', 'pro', new Date(noon)));
    const created_at = new Date(Date.parse(noon) - days(10));
    await db
      .updateTable('end_user')
      .set({ created_at })
      .where('organization_id', '=', organizationId)
      .execute();
    for (const id of [organizationId, other]) await record(db, id, 'page_viewed', { userId: 'ann' });
    await projector.run();
    expect(valuesOf(organizationId, 'page_viewed', 'account_age_days')).toEqual([10]);
    expect(valuesOf(other, 'page_viewed', 'account_age_days')).toEqual([undefined]);
  });

  test('who is forgotten begins anew; the organization and other tenants keep what they had', async () => {
    const [organizationId, other] = [await createOrganization(db), await createOrganization(db)];
    const page = async () => {
      for (const id of [organizationId, other]) {
        for (const userId of ['ann', 'ben']) await record(db, id, 'job_created', { userId });
        await record(db, id, 'landing_view', { distinctId: 'v', source: 'web' });
      }
      await projector.run();
    };
    await page();
    await db
      .transaction()
      .execute((tx) => forgetPerson(tx, organizationId, { userId: 'ann', distinctIds: ['v', 'w'] }));
    expect(await usesOf(organizationId)).toEqual({ job_created: 2, 'job_created ben': 1 });
    expect(await countRows(db, 'person_activity', organizationId)).toBe(1);
    await page();
    expect(valuesOf(organizationId, 'job_created', 'user_use_index')).toEqual([1, 1, 1, 2]);
    expect(valuesOf(organizationId, 'job_created', 'org_use_index')).toEqual([1, 2, 3, 4]);
    expect(valuesOf(other, 'job_created', 'user_use_index')).toEqual([1, 1, 2, 2]);
    expect(projector.seen(organizationId, 'first_landing_recorded')).toHaveLength(2);
    expect(projector.seen(other, 'first_landing_recorded')).toHaveLength(1);
  });

  test('who is forgotten while a page is read is gone afterwards, whoever was first', async () => {
    const organizationId = await createOrganization(db);
    await record(db, organizationId, 'job_created', { userId: 'ann' });
    await projector.run();
    const [event] = projector.seen(organizationId, 'job_created');
    if (!event) throw new Error('nothing was read');
    const page = await db.startTransaction().execute();
    await projectEvents(page, [event], new Map(), new Date(noon));
    const forgetting = db
      .transaction()
      .execute((tx) => forgetPerson(tx, organizationId, { userId: 'ann', distinctIds: [] }));
    await page.commit().execute();
    await forgetting;
    expect(await usesOf(organizationId)).toEqual({ job_created: 2 });
    expect(await countRows(db, 'person_activity', organizationId)).toBe(0);
  });
});

test('milestones of many are reached with one statement, each once', async () => {
  const organizationId = await createOrganization(db);
  const reached = ['ann', 'ben'].map((userId) => ({
    organizationId,
    userId,
    name: 'first_login',
    at: new Date(noon),
  }));
  const reach = (list: typeof reached) => db.transaction().execute((tx) => reachMilestones(tx, list));
  expect(await reach([])).toBe(0);
  expect(await reach(reached.slice(0, 1))).toBe(1);
  expect(await reach(reached)).toBe(1);
  expect(await reach(reached)).toBe(0);
});
