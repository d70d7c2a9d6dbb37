/** The projector as it runs in the dispatcher, driven by the test. */
import { expect } from 'vitest';
import type { TestApi } from '../../support/api.ts';
import { projectAll } from '../delivery/delivery-scene.ts';

/** Until everything in the log is read. */
export const project = (api: TestApi): Promise<void> => projectAll(api.db, api.clock);

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
