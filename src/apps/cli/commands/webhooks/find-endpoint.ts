import { RendermillError } from '../../../../core/errors.ts';
import { getSink } from '../../../../domain/deliveries/sinks.ts';
import { getWebhook } from '../../../../domain/deliveries/webhook-endpoints.ts';
import type { Reader } from '../../../../platform/db/client.ts';

/** The endpoint of DOMAIN_EVENT_WEBHOOK_URL, which belongs to no organization. */
export const ownSink = 'webhook';

const assertThere = async (db: Reader): Promise<void> => {
  await getSink(db, ownSink).catch((error: unknown) => {
    if (!(error instanceof RendermillError)) throw error;
    throw new RendermillError('not_found', {
      message:
        'No dispatcher has run with DOMAIN_EVENT_WEBHOOK_URL yet, so that it has no secret. Start one (rendermill dispatcher, or up), then ask again.',
    });
  });
};

const assertNotOwn = (id: string): void => {
  if (id !== ownSink) return;
  throw new RendermillError('invalid_request', {
    message:
      '"webhook" is the endpoint of DOMAIN_EVENT_WEBHOOK_URL, which belongs to no organization: leave --organization out.',
  });
};

/** An organization's, or with no organization the installation's own. Throws `not_found`, `invalid_request`. */
export const findEndpoint = async (
  db: Reader,
  id: string,
  organization: string | undefined,
): Promise<{ readonly id: string; readonly url: string | null }> => {
  if (organization !== undefined) {
    assertNotOwn(id);
    return getWebhook(db, { organizationId: organization, id });
  }
  if (id !== ownSink)
    throw new RendermillError('invalid_request', {
      message: `Say whose webhook ${id} is: --organization <id>.`,
    });
  await assertThere(db);
  return { id: ownSink, url: null };
};
