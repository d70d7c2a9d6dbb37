/** The endpoints that an organization has registered: sinks of kind `webhook` that are its own. */
import { sql } from 'kysely';
import { RendermillError } from '../../core/errors.ts';
import { isUuid, newId } from '../../core/ids.ts';
import type { Database, Reader, Tx } from '../../platform/db/client.ts';
import { notify } from '../../platform/db/notify.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { SecretBox } from '../../platform/secrets/secret-box.ts';
import { createSink, disableSink, type EventSink, enableSink, wellAgain } from './sinks.ts';
import { skipDeliveriesOfSink } from './skip-deliveries.ts';
import { createWebhookSecret } from './webhook-secrets.ts';

export const maxWebhooks = 20;
const shards = 8;
const disabledByOwner = 'Disabled by its owner.';
const removedByOwner = 'The webhook was removed.';

export interface WebhookKey {
  readonly organizationId: string;
  readonly id: string;
}

export interface WebhookSettings {
  readonly url: string;
  readonly description: string;
  /** null: all. */
  readonly eventNames: readonly string[] | null;
  /** Requests per second at most; null: no limit. */
  readonly ratePerSecond: number | null;
}

export interface WebhookEndpoint extends WebhookSettings {
  readonly id: string;
  readonly status: 'enabled' | 'disabled';
  readonly statusReason: string | null;
  /** Since then it has accepted nothing of what it was sent. */
  readonly failingSince: Date | null;
  /** The last of the warnings, hours; 0: none. */
  readonly warnedHours: number;
  /** If it goes on failing; null: never. */
  readonly disablesAt: Date | null;
  readonly disabledAt: Date | null;
  /** What was received then did not go to it; null: it has missed nothing. */
  readonly missedFrom: Date | null;
  /** null: it still does. */
  readonly missedUntil: Date | null;
  readonly consecutiveFailures: number;
  readonly lastError: string | null;
  readonly lastSuccessAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const configOf = ({ url, ratePerSecond }: WebhookSettings): Record<string, unknown> =>
  ratePerSecond === null ? { url } : { url, ratePerSecond };

/** The dispatcher, too, reads a sink's configuration through this. */
export const readWebhookConfig = (sink: EventSink): { url: string; ratePerSecond: number | null } => {
  const { url, ratePerSecond } = sink.config;
  return { url: String(url), ratePerSecond: typeof ratePerSecond === 'number' ? ratePerSecond : null };
};

const toEndpoint = (row: EventSink): WebhookEndpoint => ({
  id: row.id,
  ...readWebhookConfig(row),
  description: row.description,
  eventNames: row.event_names,
  status: row.status === 'enabled' ? 'enabled' : 'disabled',
  statusReason: row.status_reason,
  failingSince: row.failing_since,
  warnedHours: row.warned_hours,
  disablesAt: row.disables_at,
  disabledAt: row.disabled_at,
  missedFrom: row.missed_from,
  missedUntil: row.missed_until,
  consecutiveFailures: row.consecutive_failures,
  lastError: row.last_error,
  lastSuccessAt: row.last_success_at,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

const ownRows = (db: Reader, organizationId: string) =>
  db
    .selectFrom('event_sink')
    .selectAll()
    .where('organization_id', '=', organizationId)
    .where('kind', '=', 'webhook')
    .where('status', '<>', 'removed');

export const listWebhooks = async (db: Reader, organizationId: string): Promise<WebhookEndpoint[]> =>
  (await ownRows(db, organizationId).orderBy('created_at').orderBy('id').execute()).map(toEndpoint);

const notFound = (id: string): RendermillError =>
  new RendermillError('not_found', { message: `There is no webhook "${id}".` });

/** Throws `not_found`, also for one of another organization. */
export const getWebhook = async (
  db: Reader,
  { organizationId, id }: WebhookKey,
): Promise<WebhookEndpoint> => {
  const row = isUuid(id)
    ? await ownRows(db, organizationId).where('id', '=', id.toLowerCase()).executeTakeFirst()
    : undefined;
  if (!row) throw notFound(id);
  return toEndpoint(row);
};

/** As `getWebhook`; what changes it waits until this transaction ends. */
const holdWebhook = async (tx: Tx, { organizationId, id }: WebhookKey): Promise<WebhookEndpoint> => {
  const row = isUuid(id)
    ? await ownRows(tx, organizationId).where('id', '=', id.toLowerCase()).forUpdate().executeTakeFirst()
    : undefined;
  if (!row) throw notFound(id);
  return toEndpoint(row);
};

/** It gets what happens from now on. Throws `webhook_limit_reached`. Returns its secret besides. */
export const addWebhook = async (
  tx: Tx,
  box: SecretBox,
  organizationId: string,
  settings: WebhookSettings,
  now: Date,
): Promise<{ readonly endpoint: WebhookEndpoint; readonly key: Buffer }> => {
  // Two at once would each count without the other.
  await sql`SELECT pg_advisory_xact_lock(hashtextextended(${`rendermill:webhooks:${organizationId}`}, 0))`.execute(
    tx,
  );
  if ((await listWebhooks(tx, organizationId)).length >= maxWebhooks) {
    throw new RendermillError('webhook_limit_reached', {
      message: `The organization has ${maxWebhooks} webhooks, which is as many as it may have. Remove one first.`,
    });
  }
  const { description, eventNames } = settings;
  const config = configOf(settings);
  const row = await createSink(
    tx,
    { id: newId(), kind: 'webhook', organizationId, description, eventNames, config, shards },
    now,
  );
  const key = await createWebhookSecret(tx, box, row.id, now);
  await notify(tx, 'rendermill_delivery');
  return { endpoint: toEndpoint(row), key };
};

export interface WebhookChange extends Partial<WebhookSettings> {
  /** true also closes its circuit breaker, and makes what waits due at once. */
  readonly enabled?: boolean;
}

/** Changes what is given; what is on its way goes to the new URL. */
export const changeWebhook = async (
  tx: Tx,
  webhook: WebhookKey,
  { enabled, ...change }: WebhookChange,
  now: Date,
): Promise<WebhookEndpoint> => {
  const before = await holdWebhook(tx, webhook);
  const after: WebhookSettings = { ...before, ...change };
  await tx
    .updateTable('event_sink')
    .set({
      description: after.description,
      event_names: after.eventNames === null ? null : [...after.eventNames],
      config: JSON.stringify(configOf(after)),
      // What the other address did is not held against this one.
      ...(after.url === before.url ? {} : wellAgain),
      updated_at: now,
    })
    .where('id', '=', before.id)
    .execute();
  if (enabled === true) await enableSink(tx, before.id, now);
  if (enabled === false) await disableSink(tx, before.id, disabledByOwner, now);
  await notify(tx, 'rendermill_delivery');
  return getWebhook(tx, webhook);
};

const markRemoved = async (tx: Tx, webhook: WebhookKey, now: Date): Promise<string> => {
  const { id } = await holdWebhook(tx, webhook);
  await tx
    .updateTable('event_sink')
    .set({ status: 'removed', status_reason: removedByOwner, updated_at: now })
    .where('id', '=', id)
    .execute();
  await tx.deleteFrom('webhook_secret').where('sink_id', '=', id).execute();
  await notify(tx, 'rendermill_delivery');
  return id;
};

/** Whoever removes it waits for no more; the dispatcher's maintenance skips the rest. */
const skippedAtRemoval = 10_000;

export interface RemoveDeps {
  readonly db: Database;
  readonly log: Pick<Logger, 'warn'>;
}

/**
 * From its commit on nothing is sent to it; what waited is skipped after that, by the dispatcher where it is much or fails here. Its row
 * stays for the deliveries that name it. Throws `not_found`.
 */
export const removeWebhook = async (
  { db, log }: RemoveDeps,
  webhook: WebhookKey,
  now: Date,
): Promise<void> => {
  const sinkId = await db.transaction().execute((tx) => markRemoved(tx, webhook, now));
  try {
    await skipDeliveriesOfSink(db, { sinkId, reason: removedByOwner }, skippedAtRemoval);
  } catch (err) {
    log.warn(
      { err, sinkId },
      'a webhook was removed, but not all that waits for it could be skipped; a dispatcher skips the rest',
    );
  }
};
