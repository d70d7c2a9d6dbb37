/** Who a visitor is, what people have consented to, who asked to be forgotten, and the events that tenants define themselves. */
export const identity = `
-- An event that neither the catalog nor the organization knows is kept and marked, or refused.
ALTER TABLE organization ADD COLUMN unknown_events text NOT NULL DEFAULT 'mark' CHECK (unknown_events IN ('mark', 'refuse'));

-- Events of the organization's own, with a JSON Schema for their properties. A new version may only add.
CREATE TABLE event_definition (
  organization_id text NOT NULL REFERENCES organization,
  name            text NOT NULL CHECK (name ~ '^[a-z][a-z0-9_]{0,99}$'),
  schema_version  integer NOT NULL CHECK (schema_version >= 1),
  description     text NOT NULL DEFAULT '',
  sources         text[] NOT NULL,
  retention_class text NOT NULL CHECK (retention_class IN ('behaviour', 'business')),
  properties      jsonb NOT NULL,
  created_at      timestamptz NOT NULL,
  PRIMARY KEY (organization_id, name, schema_version)
);

-- First and last touch of whoever came with a distinct_id: UTM, click ids, ad ids, referrer, landing variant.
CREATE TABLE visitor (
  organization_id text NOT NULL,
  distinct_id     text NOT NULL,
  first_seen_at   timestamptz NOT NULL,
  last_seen_at    timestamptz NOT NULL,
  first_touch     jsonb,
  last_touch      jsonb,
  PRIMARY KEY (organization_id, distinct_id)
);

-- One visitor belongs to one user for ever, several visitors may belong to one: two users are never joined.
CREATE TABLE identity_link (
  organization_id text NOT NULL,
  distinct_id     text NOT NULL,
  user_id         text NOT NULL,
  linked_at       timestamptz NOT NULL,
  PRIMARY KEY (organization_id, distinct_id)
);
CREATE INDEX identity_link_user ON identity_link (organization_id, user_id, linked_at);

-- The newest statement of a person counts, for each of the two questions alone; null: never said.
CREATE TABLE person_consent (
  organization_id     text NOT NULL,
  person_kind         text NOT NULL CHECK (person_kind IN ('visitor', 'user')),
  person_id           text NOT NULL,
  ads_allowed         boolean,
  ads_stated_at       timestamptz,
  analytics_allowed   boolean,
  analytics_stated_at timestamptz,
  PRIMARY KEY (organization_id, person_kind, person_id)
);

CREATE TABLE erasure_request (
  organization_id      text NOT NULL REFERENCES organization,
  -- That of the account_deleted event.
  id                   uuid NOT NULL,
  -- What replaces the person in the log. Who it was is forgotten when the request is done.
  pseudonym            text NOT NULL,
  user_id              text,
  distinct_ids         text[] NOT NULL DEFAULT '{}',
  -- The person's is the log up to that event, what happened before it and came later, and what the transaction of the projector
  -- concluded that met it. Everything else is of a new person.
  up_to_position       bigint NOT NULL,
  up_to_xid            xid8 NOT NULL,
  deleted_at           timestamptz NOT NULL,
  requested_at         timestamptz NOT NULL,
  -- When there is something to do for it.
  next_at              timestamptz NOT NULL,
  events_deleted       integer NOT NULL DEFAULT 0,
  events_pseudonymised integer NOT NULL DEFAULT 0,
  -- When nothing but the account_deleted event itself, which may be on its way to sinks, names the person any more.
  log_done_at          timestamptz,
  -- null: nothing asked yet.
  posthog_state        text CHECK (posthog_state IN ('not_configured', 'waiting', 'done', 'failed')),
  posthog_request      jsonb,
  posthog_answer       jsonb,
  posthog_attempts     integer NOT NULL DEFAULT 0,
  done_at              timestamptz,
  PRIMARY KEY (organization_id, id)
);
CREATE INDEX erasure_request_due ON erasure_request (next_at) WHERE done_at IS NULL;
CREATE INDEX erasure_request_list ON erasure_request (organization_id, requested_at);
`;
