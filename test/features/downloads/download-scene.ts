/** One file to download over the real API, by an organization of its own for each test. */
import { createTenant, openTestApi, storeExport } from '../../support/api.ts';
import { arrangeEach } from '../../support/arrange-each.ts';
import { createUser, noon } from '../../support/factories.ts';
import { expectDownloads } from './download-events.ts';

/** Of the file: 1000 bytes, none like its neighbour. */
export const content = Buffer.from(Array.from({ length: 1000 }, (_, index) => index % 251));

/** For a whole test file. */
export const openDownloadScene = async () => {
  const api = await openTestApi();
  const given = arrangeEach(async () => {
    api.clock.set(noon);
    const tenant = await createTenant(api);
    const who = await createUser(api.db, tenant.organizationId);
    return { tenant, who, file: await storeExport(api, who, { content }) };
  });
  return {
    api,
    given,
    expectEvents: (names: readonly string[]) => expectDownloads(api, given.tenant, names),
  };
};
