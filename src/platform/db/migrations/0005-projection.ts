/** What the projector keeps: how far it has read, how often each thing was used, and when each person was last here. */
export const projection = `
ALTER TABLE domain_event
  -- False where neither the catalog nor the organization knows the name.
  ADD COLUMN is_known boolean NOT NULL DEFAULT true,
  -- Deliveries that have not ended; at zero the event is processed.
  ADD COLUMN open_deliveries smallint NOT NULL DEFAULT 0;
-- With both, so that a planner without statistics is not tempted to read an organization's whole log.
CREATE INDEX domain_event_id ON domain_event (id, organization_id);
-- Each index costs every event: those that concern few of them have only these.
DROP INDEX domain_event_visitor;
CREATE INDEX domain_event_visitor ON domain_event (organization_id, distinct_id, occurred_at) WHERE distinct_id IS NOT NULL;
DROP INDEX domain_event_key_age;
CREATE INDEX domain_event_key_age ON domain_event_key USING brin (received_at) WITH (autosummarize = on);
CREATE INDEX domain_event_user ON domain_event (organization_id, user_id, occurred_at) WHERE user_id IS NOT NULL;

-- Each event is changed a few times after it was written; with room on its page that touches no index.
DO $$
DECLARE part text;
BEGIN
  FOR part IN SELECT c.oid::regclass::text FROM pg_class c
      WHERE c.relkind = 'r' AND (c.relname LIKE 'domain\\_event\\_business\\_%' OR c.relname LIKE 'domain\\_event\\_behaviour\\_%') LOOP
    EXECUTE format('ALTER TABLE %s SET (fillfactor = 50)', part);
  END LOOP;
END $$;

-- As 0001 made it, which has landed and does not change, but for the room on the pages.
CREATE OR REPLACE FUNCTION ensure_event_partitions(first_day date, months integer) RETURNS void LANGUAGE plpgsql AS $$
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
        EXECUTE format('CREATE TABLE %I (LIKE domain_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS) WITH (fillfactor = 50)', partition);
        EXECUTE format('LOCK TABLE %I IN ACCESS EXCLUSIVE MODE', parent || '_rest');
        EXECUTE format('WITH moved AS (DELETE FROM %I WHERE received_at >= %L AND received_at < %L RETURNING *)
          INSERT INTO %I SELECT * FROM moved', parent || '_rest', starts, ends, partition);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)', parent, partition, starts, ends);
      END IF;
    END LOOP;
  END LOOP;
END $$;

-- A place in the log: everything up to it was read. Begins at the start, so that what is counted includes the past.
CREATE TABLE event_cursor (
  name     text PRIMARY KEY,
  xid      xid8 NOT NULL DEFAULT '0',
  position bigint NOT NULL DEFAULT 0
);
INSERT INTO event_cursor (name) VALUES ('projector');

-- How often an event has happened; user_id '' counts for the whole organization. No retention touches it.
CREATE TABLE event_use (
  organization_id text NOT NULL,
  event_name      text NOT NULL,
  user_id         text NOT NULL,
  uses            bigint NOT NULL,
  first_at        timestamptz NOT NULL,
  PRIMARY KEY (organization_id, user_id, event_name)
) WITH (fillfactor = 80);

-- What a person (a user, or a visitor who is nobody yet) has done so far, as far as later events are judged by it. A visitor's row
-- stays when it turns out to be a user: the user's then has both.
CREATE TABLE person_activity (
  organization_id    text NOT NULL,
  person_kind        text NOT NULL CHECK (person_kind IN ('visitor', 'user')),
  person_id          text NOT NULL,
  -- Acts of its own only; null: none yet.
  first_seen_at      timestamptz,
  last_seen_at       timestamptz,
  -- When the session began that is a return; null: it has never been away.
  returned_at        timestamptz,
  uploaded_in_return boolean NOT NULL DEFAULT false,
  -- Jobs that it created before it first went away.
  first_session_jobs integer NOT NULL DEFAULT 0,
  last_upload_at     timestamptz,
  cta_clicked_at     timestamptz,
  credits_granted_at timestamptz,
  upload_viewed_at   timestamptz,
  -- Of the visitor itself: its first landing.
  landed_at          timestamptz,
  PRIMARY KEY (organization_id, person_kind, person_id)
) WITH (fillfactor = 80);
`;
