import { beforeEach, describe, expect, test } from 'vitest';
import { type ErasureDeps, runErasures } from '../../../src/features/identity/run-erasures.ts';
import { createTenant, openTestApi, type Tenant } from '../../support/api.ts';
import { hours, minutes, noon, times } from '../../support/factories.ts';
import {
  askToErase,
  closeErasures,
  type Erasure,
  everything,
  live,
  readErasure,
  runUntil,
  withoutPosthog,
} from './erasure-scene.ts';
import { type PosthogReceiver, startPosthogReceiver } from './posthog-receiver.ts';
import { project, send } from './support.ts';

const api = await openTestApi();
let tenant: Tenant;
let posthog: PosthogReceiver;
beforeEach(async () => {
  api.clock.set(noon);
  await closeErasures(api);
  tenant = await createTenant(api);
  posthog = await startPosthogReceiver();
  return () => posthog.close();
});

const configured = (): ErasureDeps => ({
  ...withoutPosthog(api),
  config: {
    ...api.config,
    POSTHOG_APP_HOST: `${posthog.url}/`,
    POSTHOG_PERSONAL_API_KEY: 'phx_secret',
    POSTHOG_PROJECT_ID: '123',
  },
});
const erase = (user: string): Promise<string> => askToErase(api, tenant.key, user);
const read = (id: string): Promise<Erasure> => readErasure(api, tenant.key, id);
const reach = (id: string, status: string): Promise<Erasure> =>
  runUntil(api, tenant.key, { id, status, deps: configured() });
const all = (): Promise<string> => everything(api, tenant.organizationId);

describe('PostHog', () => {
  test('is asked for the deletion of the user and its visitors, again until it takes it; the answer is kept', async () => {
    await live(api, tenant.key);
    const id = await erase('jane@example.com');
    await project(api);
    posthog.answer(
      { status: 500, body: 'no' },
      { status: 202, body: '{"persons_found": 1, "of": "jane-phone"}' },
    );
    await reach(id, 'asking_posthog');
    expect(posthog.asked).toEqual([]);
    api.clock.advance(minutes(3));
    await runErasures(configured(), api.clock.now());
    expect((await read(id)).posthog).toMatchObject({
      state: 'waiting',
      attempts: 1,
      answer: { status: 500, body: 'no', at: api.clock.now().toISOString() },
    });
    await runErasures(configured(), api.clock.now());
    expect(posthog.asked).toHaveLength(1);
    api.clock.advance(minutes(1));
    const done = await reach(id, 'done');
    expect(posthog.asked).toHaveLength(2);
    const { organizationId } = tenant;
    expect(posthog.asked[1]).toEqual({
      method: 'POST',
      path: '/api/projects/123/persons/bulk_delete/',
      authorization: 'Bearer phx_secret',
      body: {
        distinct_ids: [`${organizationId}/jane@example.com`, `${organizationId}/jane-phone`],
        delete_events: true,
      },
    });
    expect(done.posthog).toMatchObject({
      state: 'done',
      attempts: 2,
      request: {
        url: `${posthog.url}/api/projects/123/persons/bulk_delete/`,
        distinct_ids: 2,
        delete_events: true,
      },
      answer: { status: 202 },
    });
    expect(await all()).not.toMatch(/jane|phx_secret/);
  });

  const askedOnce = async (): Promise<string> => {
    await send(api, tenant.key, [
      { event: 'purchase_completed', user_id: 'u-1234', properties: { amount: 1 } },
    ]);
    const id = await erase('u-1234');
    await project(api);
    await reach(id, 'asking_posthog');
    api.clock.advance(minutes(3));
    await runErasures(configured(), api.clock.now());
    return id;
  };

  test.each([
    ['that is not allowed to', 403, '{"detail": "no scope person:write"}'],
    ['that redirects', 302, ''],
    ['that could not delete all', 202, '{"deletion_errors": [{"person_uuid": "x"}]}'],
    ['that answers 10 MB', 500, 'x'.repeat(10_000_000)],
  ])('%s is asked again', async (_name, status, body) => {
    posthog.answer({ status, body });
    const id = await askedOnce();
    const { state, answer } = (await read(id)).posthog;
    expect(state).toBe('waiting');
    expect(JSON.stringify(answer).length).toBeLessThan(2_200);
  });

  test('that is away is asked again', async () => {
    await posthog.close();
    const id = await askedOnce();
    expect((await read(id)).posthog).toMatchObject({
      state: 'waiting',
      answer: { error: expect.any(String) },
    });
  });

  test('that refuses for weeks is given up, until somebody asks for another try', async () => {
    posthog.answer({ status: 500, body: '' });
    const id = await askedOnce();
    api.clock.advance(hours(26 * 24));
    await reach(id, 'failed');
    const before = posthog.asked.length;
    api.clock.advance(hours(24));
    await runErasures(configured(), api.clock.now());
    expect(posthog.asked).toHaveLength(before);
    posthog.answer({ status: 202, body: '{}' });
    await api.call(`/api/v1/erasures/${id}/retry`, { method: 'POST', key: tenant.key });
    await reach(id, 'done');
  });

  test('is asked once by several processes at a time', async () => {
    await send(api, tenant.key, [{ event: 'purchase_completed', user_id: 'u', properties: { amount: 1 } }]);
    const id = await erase('u');
    await project(api);
    await reach(id, 'asking_posthog');
    api.clock.advance(minutes(3));
    await Promise.all(times(5, () => runErasures(configured(), api.clock.now())));
    expect(posthog.asked).toHaveLength(1);
    expect(await read(id)).toMatchObject({ status: 'done' });
  });
});
