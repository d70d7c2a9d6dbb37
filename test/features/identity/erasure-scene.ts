/** People who have lived, and the erasure of one of them, as the dispatcher drives it. */
import { expect, vi } from 'vitest';
import { type ErasureDeps, runErasures } from '../../../src/features/identity/run-erasures.ts';
import type { TestApi } from '../../support/api.ts';
import { hours, noon } from '../../support/factories.ts';
import { project, send } from './support.ts';

export interface Erasure {
  readonly id: string;
  readonly status: string;
  readonly events_deleted: number;
  readonly events_pseudonymised: number;
  readonly posthog: { readonly state: string | null; readonly attempts: number; readonly answer: unknown };
}

export const withoutPosthog = (api: TestApi): ErasureDeps => ({
  db: api.db,
  log: api.log,
  config: api.config,
});

/** What another test has left open is no longer due. */
export const closeErasures = async (api: TestApi): Promise<void> => {
  await api.db
    .updateTable('erasure_request')
    .set({ done_at: new Date(noon) })
    .execute();
};

/** Returns the request's id. */
export const askToErase = async (api: TestApi, key: string, user: string): Promise<string> => {
  const path = `/api/v1/users/${encodeURIComponent(user)}/personal-data`;
  const response = await api.call(path, { method: 'DELETE', key });
  expect(response.status).toBe(202);
  return ((await response.json()) as Erasure).id;
};

export const readErasure = async (api: TestApi, key: string, id: string): Promise<Erasure> => {
  const response = await api.call(`/api/v1/erasures/${id}`, { key });
  expect(response.status).toBe(200);
  return (await response.json()) as Erasure;
};

/** As the dispatcher does every few seconds, until the erasure has come that far. */
export const runUntil = (
  api: TestApi,
  key: string,
  until: { id: string; status: string; deps?: ErasureDeps },
): Promise<Erasure> =>
  vi.waitFor(
    async () => {
      await runErasures(until.deps ?? withoutPosthog(api), api.clock.now());
      const erasure = await readErasure(api, key, until.id);
      if (erasure.status !== until.status) api.clock.advance(5_000);
      expect(erasure.status).toBe(until.status);
      return erasure;
    },
    { timeout: 20_000, interval: 20 },
  );

type Table =
  | 'domain_event'
  | 'identity_link'
  | 'visitor'
  | 'person_consent'
  | 'person_activity'
  | 'event_use'
  | 'user_milestone'
  | 'erasure_request';

export const rowsOf = (api: TestApi, organizationId: string, table: Table) =>
  api.db.selectFrom(table).selectAll().where('organization_id', '=', organizationId).execute();

/** Everything that the database says of the organization's people, as text. */
export const everything = async (api: TestApi, organizationId: string): Promise<string> => {
  const tables: readonly Table[] = [
    'domain_event',
    'identity_link',
    'visitor',
    'person_consent',
    'person_activity',
    'event_use',
    'user_milestone',
    'erasure_request',
  ];
  return JSON.stringify(await Promise.all(tables.map((table) => rowsOf(api, organizationId, table))));
};

export const at = (seconds: number): string =>
  new Date(Date.parse(noon) - hours(1) + seconds * 1000).toISOString();

/** What jane did, as visitor and as user, beside what john did. */
export const live = async (api: TestApi, key: string): Promise<void> => {
  const jane = { user_id: 'jane@example.com', session_id: 'jane-session' };
  await send(api, key, [
    {
      event: 'landing_view',
      source: 'web',
      distinct_id: 'jane-phone',
      timestamp: at(1),
      utm_source: 'facebook',
      context: { ip: '203.0.113.7' },
    },
    {
      event: 'cookie_consent_updated',
      distinct_id: 'jane-phone',
      timestamp: at(2),
      properties: { ads_allowed: true, analytics_allowed: false },
    },
    {
      event: 'login_success',
      ...jane,
      distinct_id: 'jane-phone',
      timestamp: at(3),
      properties: { email: 'jane@example.com' },
    },
    {
      event: 'purchase_completed',
      ...jane,
      timestamp: at(4),
      entity_type: 'user',
      entity_id: 'jane@example.com',
      correlation_id: 'jane-session',
      properties: { amount: 12, note: 'for Jane' },
    },
    { event: 'upload_view', source: 'web', distinct_id: 'jane-phone', timestamp: at(5) },
    { event: 'login_success', user_id: 'john', distinct_id: 'johns-phone', timestamp: at(6) },
    { event: 'purchase_completed', user_id: 'john', timestamp: at(7), properties: { amount: 7 } },
  ]);
  await project(api);
};
