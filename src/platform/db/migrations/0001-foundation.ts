/**
 * The tables of the main job. One folder of the domain is the only writer of each group.
 *
 * Money, usage and the log are kept by constraints, not by checks before a write: a balance cannot fall below zero, a first time
 * happens once, an idempotency key belongs to one request.
 */
export const foundation = `
-- A database serves one environment, so its log need not be told at each event.
CREATE TABLE installation (
  only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
  environment text NOT NULL DEFAULT 'development'
);
INSERT INTO installation DEFAULT VALUES;

-- accounts ------------------------------------------------------------------------------------------------------------
CREATE TABLE organization (
  id             text PRIMARY KEY CHECK (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  name           text NOT NULL,
  time_zone      text NOT NULL DEFAULT 'UTC',
  tier_overrides jsonb NOT NULL DEFAULT '{}',
  link_secret    bytea NOT NULL,
  created_at     timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE api_key (
  id              uuid PRIMARY KEY,
  organization_id text NOT NULL REFERENCES organization,
  kind            text NOT NULL CHECK (kind IN ('secret', 'publishable', 'admin')),
  name            text NOT NULL,
  prefix          text NOT NULL,
  hash            bytea NOT NULL UNIQUE,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_used_at    timestamptz,
  revoked_at      timestamptz
);
CREATE INDEX api_key_organization ON api_key (organization_id);

CREATE TABLE end_user (
  organization_id text NOT NULL REFERENCES organization,
  id              text NOT NULL,
  tier            text NOT NULL DEFAULT 'free' CHECK (tier IN ('free', 'pro', 'unlimited', 'credits')),
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, id)
);

-- "First ever", kept apart from the log so that no retention touches it.
CREATE TABLE user_milestone (
  organization_id text NOT NULL,
  user_id         text NOT NULL,
  name            text NOT NULL,
  reached_at      timestamptz NOT NULL,
  PRIMARY KEY (organization_id, user_id, name)
);

CREATE TABLE project (
  organization_id text NOT NULL REFERENCES organization,
  id              text NOT NULL,
  name            text,
  export_count    integer NOT NULL DEFAULT 0 CHECK (export_count >= 0),
  last_export_at  timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (organization_id, id)
);

-- compositions --------------------------------------------------------------------------------------------------------
CREATE TABLE bundle (
  organization_id text NOT NULL REFERENCES organization,
  version         text NOT NULL,
  storage_key     text NOT NULL,
  size_in_bytes   bigint NOT NULL,
  -- Registering an old version again makes it the newest: that is how one rolls back.
  registered_at   timestamptz NOT NULL,
  PRIMARY KEY (organization_id, version)
);

CREATE TABLE composition (
  organization_id        text NOT NULL,
  version                text NOT NULL,
  id                     text NOT NULL,
  width                  integer,
  height                 integer,
  fps                    double precision,
  duration_in_frames     integer,
  has_calculate_metadata boolean NOT NULL,
  default_props          jsonb NOT NULL,
  props_schema           jsonb,
  schema_notes           jsonb NOT NULL DEFAULT '[]',
  PRIMARY KEY (organization_id, id, version),
  FOREIGN KEY (organization_id, version) REFERENCES bundle ON DELETE CASCADE
);

-- exports -------------------------------------------------------------------------------------------------------------
CREATE TABLE export (
  id                  uuid PRIMARY KEY,
  organization_id     text NOT NULL,
  user_id             text NOT NULL,
  project_id          text NOT NULL,
  batch_id            uuid,
  run                 integer,
  kind                text NOT NULL CHECK (kind IN ('still', 'video')),
  format              text NOT NULL,
  render_mode         text NOT NULL CHECK (render_mode IN ('local', 'lambda')),
  status              text NOT NULL DEFAULT 'queued' CHECK (status IN ('queued', 'started', 'completed', 'failed', 'canceled')),
  -- The fencing token: epoch grows at each planning, attempt at each start. A write of a worker names both.
  epoch               integer NOT NULL DEFAULT 0,
  attempt             integer NOT NULL DEFAULT 0,
  failed_attempts     integer NOT NULL DEFAULT 0,
  hand_backs          integer NOT NULL DEFAULT 0,
  priority            integer NOT NULL DEFAULT 0 CHECK (priority BETWEEN 0 AND 2097151),
  composition_id      text NOT NULL,
  version             text NOT NULL,
  -- What was asked for beyond the columns: props, frame, frame range, width, height, scale, quality.
  request             jsonb NOT NULL,
  width               integer,
  height              integer,
  duration            double precision,   -- seconds of footage
  tier                text NOT NULL,
  max_duration        double precision,   -- seconds of footage that the tier allowed at the request
  charged_day         date NOT NULL,
  charged_credits     integer NOT NULL DEFAULT 0,
  progress            jsonb,
  progress_at         timestamptz,
  content_hash        text,
  cost                double precision,
  error_code          text,
  error_text          text,
  worker_id           uuid,
  correlation_id      text,
  cancel_requested_at timestamptz,
  created_at          timestamptz NOT NULL,
  fed_at              timestamptz,
  started_at          timestamptz,          -- of the first attempt
  attempt_started_at  timestamptz,
  completed_at        timestamptz,
  failed_at           timestamptz,
  canceled_at         timestamptz,
  updated_at          timestamptz NOT NULL,
  FOREIGN KEY (organization_id, user_id) REFERENCES end_user,
  FOREIGN KEY (organization_id, project_id) REFERENCES project
);
-- The feeder reads the head of each organization's line; workers' rows in flight are few.
CREATE INDEX export_line ON export (organization_id, priority, created_at, id) WHERE status = 'queued' AND fed_at IS NULL;
CREATE INDEX export_in_flight ON export (fed_at) WHERE status IN ('queued', 'started') AND fed_at IS NOT NULL;
CREATE INDEX export_history ON export (organization_id, created_at DESC, id DESC);
CREATE INDEX export_user_history ON export (organization_id, user_id, created_at DESC, id DESC);
CREATE INDEX export_project_history ON export (organization_id, project_id, created_at DESC, id DESC);

CREATE TABLE usage_day (
  organization_id text NOT NULL,
  user_id         text NOT NULL,
  day             date NOT NULL,
  used            integer NOT NULL CHECK (used >= 0),
  PRIMARY KEY (organization_id, user_id, day)
);

CREATE TABLE idempotency_key (
  organization_id text NOT NULL,
  route           text NOT NULL,
  key             text NOT NULL,
  request_hash    text NOT NULL,
  response        jsonb,
  expires_at      timestamptz NOT NULL,
  PRIMARY KEY (organization_id, route, key)
);
CREATE INDEX idempotency_key_expiry ON idempotency_key (expires_at);

CREATE TABLE worker (
  id          uuid PRIMARY KEY,
  host        text NOT NULL,
  pid         integer NOT NULL,
  concurrency integer NOT NULL,
  started_at  timestamptz NOT NULL,
  seen_at     timestamptz NOT NULL
);

-- artifacts -----------------------------------------------------------------------------------------------------------
CREATE TABLE artifact (
  file_id          uuid PRIMARY KEY,
  organization_id  text NOT NULL,
  export_id        uuid NOT NULL UNIQUE REFERENCES export,
  storage_key      text NOT NULL,
  size_in_bytes    bigint NOT NULL,
  sha256           text NOT NULL,
  media_type       text NOT NULL,
  width            integer NOT NULL,
  height           integer NOT NULL,
  duration_seconds double precision,
  created_at       timestamptz NOT NULL
);

-- One download counts once per signed link or client within ten minutes.
CREATE TABLE download_window (
  organization_id text NOT NULL,
  file_id         uuid NOT NULL,
  client          text NOT NULL,
  counted_at      timestamptz NOT NULL,
  completed_at    timestamptz,
  PRIMARY KEY (organization_id, file_id, client)
);
CREATE INDEX download_window_age ON download_window (counted_at);

-- credits -------------------------------------------------------------------------------------------------------------
CREATE TABLE credit_balance (
  organization_id text NOT NULL,
  user_id         text NOT NULL,
  balance         integer NOT NULL CHECK (balance >= 0),
  PRIMARY KEY (organization_id, user_id)
);

CREATE TABLE credit_entry (
  id              uuid PRIMARY KEY,
  organization_id text NOT NULL,
  user_id         text NOT NULL,
  kind            text NOT NULL CHECK (kind IN ('grant', 'top_up', 'spend', 'refund')),
  amount          integer NOT NULL CHECK (amount > 0),
  balance_after   integer NOT NULL CHECK (balance_after >= 0),
  export_id       uuid,
  reason          text,
  created_at      timestamptz NOT NULL
);
CREATE INDEX credit_entry_user ON credit_entry (organization_id, user_id, created_at);
-- An export spends once and gets back once.
CREATE UNIQUE INDEX credit_entry_once ON credit_entry (export_id, kind) WHERE kind IN ('spend', 'refund');

-- the event log -------------------------------------------------------------------------------------------------------
-- A sequence of its own and not an identity column: those reach partitions only from Postgres 17 on.
CREATE SEQUENCE domain_event_position;

CREATE TABLE domain_event (
  id                uuid NOT NULL,
  event_name        text NOT NULL,
  occurred_at       timestamptz NOT NULL,
  received_at       timestamptz NOT NULL,
  organization_id   text NOT NULL,
  user_id           text,
  distinct_id       text,
  session_id        text,
  entity_type       text,
  entity_id         text,
  correlation_id    text,
  source            text NOT NULL CHECK (source IN ('web', 'server', 'worker')),
  environment       text NOT NULL,
  schema_version    integer NOT NULL,
  properties        jsonb NOT NULL,
  context           jsonb NOT NULL DEFAULT '{}',
  is_processed      boolean NOT NULL DEFAULT false,
  processed_at      timestamptz,
  delivery_attempts integer NOT NULL DEFAULT 0,
  derived           jsonb,
  retention_class   text NOT NULL CHECK (retention_class IN ('behaviour', 'business')),
  position          bigint NOT NULL DEFAULT nextval('domain_event_position'),
  xid               xid8 NOT NULL DEFAULT pg_current_xact_id()
) PARTITION BY LIST (retention_class);
ALTER SEQUENCE domain_event_position OWNED BY domain_event.position;

CREATE TABLE domain_event_business PARTITION OF domain_event FOR VALUES IN ('business') PARTITION BY RANGE (received_at);
CREATE TABLE domain_event_behaviour PARTITION OF domain_event FOR VALUES IN ('behaviour') PARTITION BY RANGE (received_at);
-- Where the maintenance was missed for months, an event still has a place to go.
CREATE TABLE domain_event_business_rest PARTITION OF domain_event_business DEFAULT;
CREATE TABLE domain_event_behaviour_rest PARTITION OF domain_event_behaviour DEFAULT;

CREATE INDEX domain_event_order ON domain_event (xid, position);
CREATE INDEX domain_event_time ON domain_event (organization_id, occurred_at);
CREATE INDEX domain_event_visitor ON domain_event (organization_id, distinct_id, occurred_at);
CREATE INDEX domain_event_name ON domain_event (organization_id, event_name, occurred_at);
CREATE INDEX domain_event_entity ON domain_event (organization_id, entity_id, position);

-- A partitioned table cannot keep an id unique over its partitions; this narrow one does, for 30 days.
CREATE TABLE domain_event_key (
  organization_id text NOT NULL,
  event_id        uuid NOT NULL,
  received_at     timestamptz NOT NULL,
  PRIMARY KEY (organization_id, event_id)
);
CREATE INDEX domain_event_key_age ON domain_event_key (received_at);

-- Makes the monthly partitions from the given month on; what is there stays. Run at every migration and once a day. A month's
-- events that came before its partition lie in the rest; they move over first, since a month cannot begin while they are there.
CREATE FUNCTION ensure_event_partitions(first_day date, months integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  parent text;
  partition text;
  month timestamp;
  starts timestamptz;
  ends timestamptz;
BEGIN
  PERFORM pg_advisory_xact_lock(hashtext('rendermill:event-partitions'));
  FOREACH parent IN ARRAY ARRAY['domain_event_business', 'domain_event_behaviour'] LOOP
    FOR offset_months IN 0 .. months - 1 LOOP
      month := date_trunc('month', first_day::timestamp) + make_interval(months => offset_months);
      partition := format('%s_%s', parent, to_char(month, 'YYYY_MM'));
      IF to_regclass(partition) IS NULL THEN
        starts := month AT TIME ZONE 'UTC';
        ends := (month + interval '1 month') AT TIME ZONE 'UTC';
        EXECUTE format('CREATE TABLE %I (LIKE domain_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_rest');
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE received_at >= %L AND received_at < %L RETURNING *)
          INSERT INTO %I SELECT * FROM moved', parent || '_rest', starts, ends, partition);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, starts, ends);
      END IF;
    END LOOP;
  END LOOP;
END $$;
`;
