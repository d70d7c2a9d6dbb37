/** What the log tells of the downloads of an organization. */
import { expect } from 'vitest';
import type { Tenant, TestApi } from '../../support/api.ts';
import { eventsOf } from '../../support/factories.ts';

export const downloadsOf = async ({ db }: TestApi, { organizationId }: Tenant) =>
  (await eventsOf(db, organizationId)).filter((event) => /download/.test(event.event_name));

export const downloadNamesOf = async (api: TestApi, tenant: Tenant) =>
  (await downloadsOf(api, tenant)).map((event) => event.event_name);

/** What is recorded after the last byte comes a moment after it. */
export const expectDownloads = (api: TestApi, tenant: Tenant, names: readonly string[]) =>
  expect.poll(() => downloadNamesOf(api, tenant)).toEqual(names);

export const bytesOf = async (response: Response): Promise<Buffer> =>
  Buffer.from(await response.arrayBuffer());
