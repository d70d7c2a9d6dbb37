/** Imports over the real API, for an organization of its own in each test, and what they leave behind. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect } from 'vitest';
import { createTenant, openTestApi, type Tenant } from '../../support/api.ts';
import {
  countRows,
  createUser,
  exampleComposition,
  openComposition,
  registerCompositions,
} from '../../support/factories.ts';
import { card, formOf, order, slowCard } from './csv-form.ts';

/** For a whole test file. */
export const openImportScene = async () => {
  const api = await openTestApi();
  let tenant: Tenant;
  beforeEach(async () => {
    tenant = await createTenant(api);
    await registerCompositions(api.db, tenant.organizationId, {
      compositions: [exampleComposition, openComposition, card, slowCard],
      version: 'aabbccdd00112233',
      at: new Date('2026-03-10T12:00:01.000Z'),
    });
  });

  const authorization = () => ({ authorization: `Bearer ${tenant.key}` });
  const upload = (body: FormData, headers: Record<string, string> = {}, path = '/api/imports/csv') =>
    fetch(api.url + path, { method: 'POST', body, headers: { ...authorization(), ...headers } });
  const batches = () =>
    api.db.selectFrom('batch').selectAll().where('organization_id', '=', tenant.organizationId).execute();
  /** Files that are kept while an upload is read. */
  const spooled = () => readdir(join(api.config.home, 'imports')).catch(() => []);

  return {
    api,
    authorization,
    upload,
    post: (file: string | Uint8Array, given: object = {}, headers: Record<string, string> = {}) =>
      upload(formOf({ ...order, ...given }, file), headers),
    unlimited: () => createUser(api.db, tenant.organizationId, { id: 'ann', tier: 'unlimited' }),
    withCredits: () => createUser(api.db, tenant.organizationId, { id: 'ann', tier: 'credits' }),
    batches,
    variantsOf: (batchId: string) =>
      api.db
        .selectFrom('batch_variant')
        .selectAll()
        .where('batch_id', '=', batchId)
        .orderBy('position')
        .execute(),
    spooled,
    nothingIsLeft: async () => {
      expect(await batches()).toEqual([]);
      for (const table of ['end_user', 'usage_day', 'idempotency_key'] as const)
        expect(await countRows(api.db, table, tenant.organizationId)).toBe(0);
      expect(await spooled()).toEqual([]);
    },
  };
};
