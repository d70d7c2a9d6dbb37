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
CREATE INDEX identity_link_user ON identity_link (organization_id, user_id);

-- The newest statement of a person counts; null: never said.
CREATE TABLE person_consent (
  organization_id   text NOT NULL,
  person_kind       text NOT NULL CHECK (person_kind IN ('visitor', 'user')),
  person_id         text NOT NULL,
  ads_allowed       boolean,
  analytics_allowed boolean,
  stated_at         timestamptz NOT NULL,
  PRIMARY KEY (organization_id, person_kind, person_id)
);

CREATE TABLE erasure_request (
  id               uuid PRIMARY KEY,
  organization_id  text NOT NULL REFERENCES organization,
  -- What replaces the person in the log. Who it was is forgotten when the request is done.
  pseudonym        text NOT NULL,
  user_id          text,
  distinct_ids     text[] NOT NULL DEFAULT '{}',
  requested_at     timestamptz NOT NULL,
  events_deleted   integer NOT NULL DEFAULT 0,
  events_pseudonymised integer NOT NULL DEFAULT 0,
  log_done_at      timestamptz,
  -- null: nothing asked yet; 'not_configured', 'done', or 'waiting' for the next try.
  posthog_state    text CHECK (posthog_state IN ('not_configured', 'waiting', 'done', 'failed')),
  posthog_request  jsonb,
  posthog_answer   jsonb,
  posthog_attempts integer NOT NULL DEFAULT 0,
  posthog_next_at  timestamptz,
  done_at          timestamptz
);
CREATE INDEX erasure_request_open ON erasure_request (requested_at) WHERE done_at IS NULL;
CREATE INDEX erasure_request_organization ON erasure_request (organization_id, requested_at);
`;
