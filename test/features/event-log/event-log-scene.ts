/** A tenant with an endpoint, beside the operator's own sink, and a dispatcher that does what a test tells it. */
import { addWebhook, type WebhookEndpoint } from '../../../src/domain/deliveries/webhook-endpoints.ts';
import type { Sink } from '../../../src/features/delivery/sinks/sink.ts';
import { createSecretBox } from '../../../src/platform/secrets/secret-box.ts';
import { createTenant, type Tenant, type TestApi } from '../../support/api.ts';
import { dispatcherOf } from '../delivery/delivery-scene.ts';

export interface TenantWithWebhook extends Tenant {
  readonly webhookId: string;
}

export const addEndpoint = async (api: TestApi, organizationId: string): Promise<WebhookEndpoint> => {
  const settings = {
    url: 'https://hooks.example.com/',
    description: '',
    eventNames: null,
    ratePerSecond: null,
  };
  // A sink must not be younger than its events, and the log has its own time.
  const before = new Date(api.clock.now().getTime() - 60_000);
  const added = await api.db
    .transaction()
    .execute((tx) => addWebhook(tx, createSecretBox(), organizationId, settings, before));
  return added.endpoint;
};

export const tenantWithWebhook = async (api: TestApi): Promise<TenantWithWebhook> => {
  const tenant = await createTenant(api);
  return { ...tenant, webhookId: (await addEndpoint(api, tenant.organizationId)).id };
};

/** Works until nothing is due any more. */
export const dispatch = async (api: TestApi, sinks: Readonly<Record<string, Sink>>): Promise<void> => {
  const dispatcher = await dispatcherOf({ db: api.db, url: api.databaseUrl }, sinks, api.clock);
  await dispatcher.drain();
  await dispatcher.close();
};
