/** Which sinks there are, and how each is opened: the one place to add a line for a new one. docs/sinks.md tells how. */
import type { EnvironmentSink, EventSink } from '../../domain/deliveries/sinks.ts';
import { getSink, keepEnvironmentSinks } from '../../domain/deliveries/sinks.ts';
import { readWebhookConfig } from '../../domain/deliveries/webhook-endpoints.ts';
import { ensureWebhookSecret, loadWebhookSecrets } from '../../domain/deliveries/webhook-secrets.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { SecretBox } from '../../platform/secrets/secret-box.ts';
import { createConsoleSink, type Output } from './sinks/console.ts';
import { createFileSink } from './sinks/file.ts';
import { createMetaSink, type MetaSinkOptions } from './sinks/meta.ts';
import { createPostHogSink, type PostHogSinkOptions } from './sinks/posthog.ts';
import type { Sink } from './sinks/sink.ts';
import { createWebhookSink } from './sinks/webhook.ts';

/** What the environment names; absent: there is none. */
export interface SinkSettings {
  readonly posthog?: Omit<PostHogSinkOptions, 'clock'>;
  readonly meta?: Omit<MetaSinkOptions, 'clock'>;
  /** The operator's own endpoint, which gets the events of every organization. */
  readonly webhook?: { readonly url: string; readonly secret?: string };
  readonly console?: { readonly output: Output };
  readonly file?: { readonly path: string };
  /** Endpoints of organizations may lie in private networks. */
  readonly allowPrivateWebhooks: boolean;
}

export interface SinkDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly settings: SinkSettings;
  readonly secretBox: SecretBox;
}

/** Side by side: what a sink takes one by one profits from more. */
const shardsOf = { posthog: 4, meta: 2, webhook: 16, console: 1, file: 1 } as const;
type EnvironmentKind = keyof typeof shardsOf;
const environmentKinds = Object.keys(shardsOf) as EnvironmentKind[];

/** Of an operator's own endpoint, requests at once. */
const operatorConcurrency = 16;

type Opener = (deps: SinkDeps, row: EventSink) => Promise<Sink | null> | Sink | null;

/** Of the environment's sinks, by their id. */
const environmentOpeners: Readonly<Record<EnvironmentKind, Opener>> = {
  posthog: ({ settings, clock }) =>
    settings.posthog ? createPostHogSink({ ...settings.posthog, clock }) : null,
  meta: ({ settings, clock }) => (settings.meta ? createMetaSink({ ...settings.meta, clock }) : null),
  console: ({ settings }) => (settings.console ? createConsoleSink(settings.console) : null),
  file: ({ settings }) => (settings.file ? createFileSink(settings.file) : null),
  webhook: async ({ db, clock, settings, secretBox }, { id }) => {
    if (!settings.webhook) return null;
    const secrets = await loadWebhookSecrets(db, secretBox, id, clock.now());
    const { url } = settings.webhook;
    return createWebhookSink({ url, secrets, allowPrivate: true, clock, concurrency: operatorConcurrency });
  },
};

/** Of sinks that organizations have made, by their kind. */
const ownOpeners: Readonly<Record<string, Opener>> = {
  webhook: async ({ db, clock, settings, secretBox }, row) => {
    const { url, ratePerSecond } = readWebhookConfig(row);
    return createWebhookSink({
      url,
      secrets: await loadWebhookSecrets(db, secretBox, row.id, clock.now()),
      allowPrivate: settings.allowPrivateWebhooks,
      clock,
      ...(ratePerSecond === null ? {} : { callsPerSecond: ratePerSecond }),
    });
  },
};

/** null: this process has not what it takes. */
export const openSink = async (deps: SinkDeps, id: string): Promise<Sink | null> => {
  const row = await getSink(deps.db, id);
  const opener =
    row.organization_id === null ? environmentOpeners[row.id as EnvironmentKind] : ownOpeners[row.kind];
  return (await opener?.(deps, row)) ?? null;
};

/** Makes rows of the sinks that the environment names, so that events are routed to them, and disables those it names no more. */
export const keepConfiguredSinks = ({ db, clock, settings, secretBox }: SinkDeps): Promise<void> =>
  db.transaction().execute(async (tx) => {
    const named = environmentKinds.filter((kind) => settings[kind] !== undefined);
    const sinks = named.map((kind): EnvironmentSink => ({ id: kind, kind, shards: shardsOf[kind] }));
    await keepEnvironmentSinks(tx, sinks, clock.now());
    if (settings.webhook)
      await ensureWebhookSecret(tx, secretBox, 'webhook', settings.webhook.secret, clock.now());
  });
