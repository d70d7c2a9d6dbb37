/** Where events go, what is on its way there, and what became of it. */
export const delivery = `
CREATE TABLE event_sink (
  -- Of the environment: 'posthog', 'meta', 'webhook', 'console', 'file'. Of an organization: a UUID.
  id                   text PRIMARY KEY,
  kind                 text NOT NULL,
  -- null: events of every organization.
  organization_id      text REFERENCES organization,
  description          text NOT NULL DEFAULT '',
  -- null: every event that the catalog maps to this kind.
  event_names          text[],
  config               jsonb NOT NULL DEFAULT '{}',
  shards               smallint NOT NULL CHECK (shards BETWEEN 1 AND 64),
  status               text NOT NULL DEFAULT 'enabled' CHECK (status IN ('enabled', 'disabled', 'removed')),
  status_reason        text,
  -- The circuit breaker, which all dispatchers share.
  consecutive_failures integer NOT NULL DEFAULT 0,
  failing_since        timestamptz,
  open_until           timestamptz,
  last_error           text,
  last_success_at      timestamptz,
  -- Of the environment: when a dispatcher that has its settings last said so.
  configured_at        timestamptz,
  created_at           timestamptz NOT NULL,
  updated_at           timestamptz NOT NULL
);
CREATE INDEX event_sink_organization ON event_sink (organization_id);

CREATE TABLE webhook_secret (
  id         uuid PRIMARY KEY,
  sink_id    text NOT NULL REFERENCES event_sink,
  secret     bytea NOT NULL,
  created_at timestamptz NOT NULL,
  -- During a rotation the old one signs beside the new one until then.
  expires_at timestamptz
);
CREATE INDEX webhook_secret_sink ON webhook_secret (sink_id);

-- One event on its way to one sink. Where the event lies: (retention_class, received_at, event_id).
CREATE SEQUENCE event_delivery_seq;
CREATE TABLE event_delivery (
  sink_id         text NOT NULL,
  organization_id text NOT NULL,
  event_id        uuid NOT NULL,
  event_name      text NOT NULL,
  received_at     timestamptz NOT NULL,
  retention_class text NOT NULL,
  -- The order of the log.
  seq             bigint NOT NULL DEFAULT nextval('event_delivery_seq'),
  -- What keeps its order: a hash of the entity, else of the person, else of the event itself.
  lane            bigint NOT NULL,
  shard           smallint NOT NULL,
  state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'skipped', 'dead')),
  attempts        smallint NOT NULL DEFAULT 0,
  -- Within a lane it never falls as seq grows, so that what is due is always the head of its lane.
  next_at         timestamptz NOT NULL,
  -- Whether the last attempt found the sink away ('unavailable') or the event unwelcome ('refused').
  failure         text CHECK (failure IN ('unavailable', 'refused')),
  reason          text,
  -- Each attempt: at, ms, status, outcome, error, the first bytes of the answer.
  attempt_log     jsonb NOT NULL DEFAULT '[]',
  created_at      timestamptz NOT NULL,
  ended_at        timestamptz,
  PRIMARY KEY (organization_id, event_id, sink_id)
) WITH (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.1);
ALTER SEQUENCE event_delivery_seq OWNED BY event_delivery.seq;
-- What has been delivered is in none of these: claiming stays as fast as with an empty table.
CREATE INDEX event_delivery_due ON event_delivery (sink_id, shard, next_at, seq) WHERE state = 'pending';
CREATE INDEX event_delivery_lane ON event_delivery (sink_id, lane, seq) WHERE state = 'pending';
CREATE INDEX event_delivery_dead ON event_delivery (sink_id, seq) WHERE state = 'dead';
CREATE INDEX event_delivery_ended ON event_delivery USING brin (ended_at) WITH (autosummarize = on);

-- A share of a sink's lanes, which one dispatcher works on at a time.
CREATE TABLE delivery_shard (
  sink_id          text NOT NULL REFERENCES event_sink,
  shard            smallint NOT NULL,
  -- When its first pending delivery is due; null: nothing is pending.
  due_at           timestamptz,
  leased_until     timestamptz,
  -- The fencing token: grows with each lease, and an acknowledgement names it.
  epoch            bigint NOT NULL DEFAULT 0,
  -- Sums since the beginning, for the metrics.
  delivered        bigint NOT NULL DEFAULT 0,
  skipped          bigint NOT NULL DEFAULT 0,
  failed           bigint NOT NULL DEFAULT 0,
  dead             bigint NOT NULL DEFAULT 0,
  latency_ms       double precision NOT NULL DEFAULT 0,
  latency_buckets  bigint[] NOT NULL DEFAULT '{}',
  PRIMARY KEY (sink_id, shard)
) WITH (fillfactor = 50);
CREATE INDEX delivery_shard_due ON delivery_shard (due_at) WHERE due_at IS NOT NULL;
`;
