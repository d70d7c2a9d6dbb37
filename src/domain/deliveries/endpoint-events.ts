/** What is recorded of endpoints that fail, in the log of their organization: its other endpoints and the installation's sinks hear of it. */
import type { Tx } from '../../platform/db/client.ts';
import { emit } from '../events/emit.ts';
import { backlogOf } from './backlog.ts';
import type { EventSink } from './sinks.ts';

/** Whose log tells of the operator's own endpoint. No tenant can be called so, and only the installation's sinks get its events. */
export const installationLog = '_installation';

export type FailingSink = Pick<
  EventSink,
  'id' | 'organization_id' | 'config' | 'last_error' | 'failing_since' | 'disables_at'
>;

const hostOf = ({ config }: FailingSink): string | null =>
  typeof config.url === 'string' && URL.canParse(config.url) ? new URL(config.url).host : null;

const envelopeOf = (sink: FailingSink, now: Date) => ({
  organizationId: sink.organization_id ?? installationLog,
  source: 'server' as const,
  occurredAt: now,
  entity: { type: 'webhook', id: sink.id },
});

const factsOf = async (tx: Tx, sink: FailingSink) => ({
  endpointId: sink.id,
  urlHost: hostOf(sink),
  pendingDeliveries: (await backlogOf(tx, sink.id)).pending,
  lastError: sink.last_error,
});

const hourMs = 3_600_000;

export const emitEndpointFailing = async (
  tx: Tx,
  sink: FailingSink & { readonly failing_since: Date },
  now: Date,
): Promise<void> => {
  await emit(tx, {
    name: 'webhook_endpoint_failing',
    ...envelopeOf(sink, now),
    properties: {
      ...(await factsOf(tx, sink)),
      failingSince: sink.failing_since.toISOString(),
      hoursFailing: Math.floor((now.getTime() - sink.failing_since.getTime()) / hourMs),
      disablesAt: sink.disables_at?.toISOString() ?? null,
    },
  });
};

export const emitEndpointDisabled = async (
  tx: Tx,
  sink: FailingSink,
  why: { readonly cause: 'failing' | 'gone'; readonly reason: string },
  now: Date,
): Promise<void> => {
  await emit(tx, {
    name: 'webhook_endpoint_disabled',
    ...envelopeOf(sink, now),
    properties: {
      ...(await factsOf(tx, sink)),
      ...why,
      failingSince: sink.failing_since?.toISOString() ?? null,
    },
  });
};
