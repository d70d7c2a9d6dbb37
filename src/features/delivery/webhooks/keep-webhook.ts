/** Adding and changing an endpoint, for whoever asks: a request or a command. */
import { RendermillError } from '../../../core/errors.ts';
import { wakeAll } from '../../../domain/deliveries/wake-waiting.ts';
import {
  addWebhook,
  changeWebhook,
  getWebhook,
  type WebhookChange,
  type WebhookEndpoint,
  type WebhookKey,
  type WebhookSettings,
} from '../../../domain/deliveries/webhook-endpoints.ts';
import { formatWebhookSecret } from '../../../domain/deliveries/webhook-secrets.ts';
import type { Database, Reader } from '../../../platform/db/client.ts';
import { refuseUrl } from '../../../platform/egress/judge-url.ts';
import type { SecretBox } from '../../../platform/secrets/secret-box.ts';
import { type CheckedNames, checkEventNames, warnOfNames } from './check-event-names.ts';

export interface WebhookRules {
  readonly db: Database;
  /** Endpoints may lie in private networks. */
  readonly allowPrivate: boolean;
  /** Holds the keys of their secrets. */
  readonly secretBox: SecretBox;
}

/** As it is kept and sent to. Throws `webhook_url_refused`. */
const checkUrl = (url: string, { allowPrivate }: WebhookRules): string => {
  const reason = refuseUrl(url, { allowPrivate });
  if (reason === null) return new URL(url).href;
  // What a private network alone makes wrong, the operator may allow.
  const remedy =
    refuseUrl(url, { allowPrivate: true }) === null
      ? ' Endpoints in private networks are taken where WEBHOOK_ALLOW_PRIVATE_ADDRESSES=true is set.'
      : '';
  throw new RendermillError('webhook_url_refused', {
    message: `Nothing may be sent to this URL: ${reason}. Expected the https or http address of a server on the Internet, without user, password and fragment.${remedy}`,
  });
};

const checkChangedNames = async (
  db: Reader,
  webhook: WebhookKey,
  names: readonly string[] | null,
): Promise<CheckedNames> => {
  const { eventNames: kept } = await getWebhook(db, webhook);
  return checkEventNames(db, webhook.organizationId, names, kept ?? []);
};

export interface CheckedWebhook {
  readonly endpoint: WebhookEndpoint;
  /** Of its names: what takes nothing so far. */
  readonly warnings: readonly string[];
}

/** Throws `webhook_url_refused`, `invalid_request` for a name, `webhook_limit_reached`. */
export const registerWebhook = async (
  rules: WebhookRules,
  organizationId: string,
  asked: WebhookSettings,
  now: Date,
): Promise<CheckedWebhook & { readonly secret: string }> => {
  const url = checkUrl(asked.url, rules);
  const { names: eventNames, warnings } = await checkEventNames(rules.db, organizationId, asked.eventNames);
  const { endpoint, key } = await rules.db
    .transaction()
    .execute((tx) => addWebhook(tx, rules.secretBox, organizationId, { ...asked, url, eventNames }, now));
  return { endpoint, warnings, secret: formatWebhookSecret(key) };
};

/** Throws as `registerWebhook`, and `not_found`. */
export const updateWebhook = async (
  rules: WebhookRules,
  webhook: WebhookKey,
  asked: WebhookChange,
  now: Date,
): Promise<CheckedWebhook> => {
  const { url, eventNames } = asked;
  const checked =
    eventNames === undefined ? undefined : await checkChangedNames(rules.db, webhook, eventNames);
  const change: WebhookChange = {
    ...asked,
    ...(url === undefined ? {} : { url: checkUrl(url, rules) }),
    ...(checked === undefined ? {} : { eventNames: checked.names }),
  };
  if (change.enabled === true) {
    const { id } = await getWebhook(rules.db, webhook);
    await wakeAll(rules.db, id, now);
  }
  const endpoint = await rules.db.transaction().execute((tx) => changeWebhook(tx, webhook, change, now));
  const warnings =
    checked?.warnings ?? (await warnOfNames(rules.db, webhook.organizationId, endpoint.eventNames));
  return { endpoint, warnings };
};
