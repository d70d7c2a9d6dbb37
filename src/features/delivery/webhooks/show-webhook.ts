import { RendermillError } from '../../../core/errors.ts';
import { backlogOf } from '../../../domain/deliveries/backlog.ts';
import type { WebhookEndpoint } from '../../../domain/deliveries/webhook-endpoints.ts';
import {
  formatWebhookSecret,
  loadWebhookSecrets,
  rotateWebhookSecret,
} from '../../../domain/deliveries/webhook-secrets.ts';
import type { Database, Reader } from '../../../platform/db/client.ts';
import type { SecretBox } from '../../../platform/secrets/secret-box.ts';
import { warnOfNames } from './check-event-names.ts';
import type { CheckedWebhook } from './keep-webhook.ts';
import { presentWebhook } from './schemas.ts';

/** As a list has it: without warnings of its names, for which the log is looked through. */
export const showListed = async (db: Reader, endpoint: WebhookEndpoint) =>
  presentWebhook(endpoint, await backlogOf(db, endpoint.id));

/** One that was just added or changed, with the warnings of that check. */
export const showChecked = async (db: Reader, { endpoint, warnings }: CheckedWebhook) => ({
  ...(await showListed(db, endpoint)),
  warnings: [...warnings],
});

export const showWebhook = async (db: Reader, organizationId: string, endpoint: WebhookEndpoint) =>
  showChecked(db, { endpoint, warnings: await warnOfNames(db, organizationId, endpoint.eventNames) });

export interface ShownSecret {
  readonly secret: string;
  /** When the last of the older secrets ends; null: there is none. */
  readonly olderSignUntil: string | null;
}

export const showSecret = async (
  db: Reader,
  box: SecretBox,
  sinkId: string,
  now: Date,
): Promise<ShownSecret> => {
  const [newest, lastOfOlder] = await loadWebhookSecrets(db, box, sinkId, now);
  if (newest === undefined)
    throw new RendermillError('not_found', { message: `The webhook "${sinkId}" has no secret.` });
  return {
    secret: formatWebhookSecret(newest.key),
    olderSignUntil: lastOfOlder?.expiresAt?.toISOString() ?? null,
  };
};

const hourMs = 3_600_000;

/** The older secrets sign beside the new one for so many hours. */
export const rotateSecret = (
  db: Database,
  box: SecretBox,
  sinkId: string,
  overlapHours: number,
  now: Date,
): Promise<ShownSecret> =>
  db.transaction().execute(async (tx) => {
    await rotateWebhookSecret(tx, box, sinkId, new Date(now.getTime() + overlapHours * hourMs), now);
    return showSecret(tx, box, sinkId, now);
  });
