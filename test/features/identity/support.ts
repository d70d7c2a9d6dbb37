/** The projector as it runs in the dispatcher, driven by the test. */
import { expect, vi } from 'vitest';
import { projectPage } from '../../../src/features/delivery/project-log.ts';
import type { TestApi } from '../../support/api.ts';

/** Until everything in the log is read. */
export const project = (api: TestApi): Promise<void> =>
  vi.waitFor(
    async () => {
      while ((await projectPage(api.db, api.clock)) > 0);
      const left = await api.db
        .selectFrom('domain_event')
        .select('event_name')
        .where('derived', 'is', null)
        .execute();
      expect(left).toEqual([]);
    },
    { timeout: 20_000, interval: 20 },
  );

export interface GivenEvent {
  readonly event: string;
  readonly [key: string]: unknown;
}

/** As a tenant's backend sends them. Returns their ids. */
export const send = async (api: TestApi, key: string, events: readonly GivenEvent[]): Promise<string[]> => {
  const response = await api.call('/api/v1/events', { key, body: { events } });
  const answer = (await response.json()) as { accepted: number; results: { id: string }[] };
  expect(answer).toMatchObject({ accepted: events.length });
  return answer.results.map((one) => one.id);
};
