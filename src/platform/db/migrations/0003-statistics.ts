/**
 * Statistics of exports: what every answer reads instead of scanning `export`.
 *
 * Counting by a row that is updated would let all transactions of an organization wait for each other. So triggers only insert
 * what has changed, in the transaction that changes it (no code path can forget it, and a rollback takes it back), and a fold
 * moves that into the aggregates later. The truth at any moment is aggregates + deltas, read in one snapshot.
 *
 * An export belongs to the organization's day and hour of its acceptance, whenever it ends: counts, sums and success rate of a
 * day speak of the same exports. Microseconds and bytes are whole numbers, so that sums are exact in any order of adding.
 */
export const statistics = `
-- Of a large table the backfill takes longer than a request may.
SET LOCAL statement_timeout = 0;

-- statistics ----------------------------------------------------------------------------------------------------------
CREATE TABLE export_stat_delta (
  organization_id text NOT NULL,
  user_id         text NOT NULL,
  project_id      text NOT NULL,
  day             date NOT NULL,
  hour            integer NOT NULL,
  format          text NOT NULL,
  accepted        integer NOT NULL DEFAULT 0,
  completed       integer NOT NULL DEFAULT 0,
  failed          integer NOT NULL DEFAULT 0,
  canceled        integer NOT NULL DEFAULT 0,
  -- Of the completed: without rendering.
  cached          integer NOT NULL DEFAULT 0,
  -- Of the completed: with a length, and the sum of their lengths.
  footage_count   integer NOT NULL DEFAULT 0,
  footage_us      bigint NOT NULL DEFAULT 0,
  -- Of the completed: rendered and timed, and the sum of their times.
  render_count    integer NOT NULL DEFAULT 0,
  render_us       bigint NOT NULL DEFAULT 0,
  bytes           bigint NOT NULL DEFAULT 0,
  -- Of the newest of the accepted; null where none is.
  last_export_at  timestamptz
) WITH (
  -- Filled and emptied all day like a queue; the usual 20 % of the table would be looked for too late.
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 2000
);
-- So that neither the pages that a fold has emptied nor another tenant's deltas are read through.
CREATE INDEX export_stat_delta_organization ON export_stat_delta (organization_id);

-- Sums by scope, period and format. starts: first day of the period; of 'all', -infinity.
CREATE TABLE export_stat (
  organization_id text NOT NULL,
  scope           text NOT NULL CHECK (scope IN ('user', 'project', 'organization')),
  period          text NOT NULL CHECK (period IN ('day', 'month', 'all')),
  -- Of the user or the project; empty for the organization.
  scope_id        text NOT NULL,
  starts          date NOT NULL,
  format          text NOT NULL,
  accepted        bigint NOT NULL,
  completed       bigint NOT NULL,
  failed          bigint NOT NULL,
  canceled        bigint NOT NULL,
  cached          bigint NOT NULL,
  footage_count   bigint NOT NULL,
  footage_us      bigint NOT NULL,
  render_count    bigint NOT NULL,
  render_us       bigint NOT NULL,
  bytes           bigint NOT NULL,
  last_export_at  timestamptz,
  PRIMARY KEY (organization_id, scope, period, scope_id, starts, format)
);

-- Of the organization, for peak hours.
CREATE TABLE export_hour_stat (
  organization_id text NOT NULL,
  day             date NOT NULL,
  hour            integer NOT NULL,
  accepted        bigint NOT NULL,
  completed       bigint NOT NULL,
  failed          bigint NOT NULL,
  PRIMARY KEY (organization_id, day, hour)
);

-- On which days of a month somebody's exports were accepted: bit 0 is the first. Who was active in any window is counted from
-- one row a month, where the sums would be looked for user by user.
CREATE TABLE export_active_month (
  organization_id text NOT NULL,
  scope           text NOT NULL CHECK (scope IN ('user', 'project')),
  month           date NOT NULL,
  scope_id        text NOT NULL,
  days            integer NOT NULL,
  PRIMARY KEY (organization_id, scope, month, scope_id)
);

-- What one export adds in this state; inlined by the planner.
CREATE FUNCTION export_counts(status text, cached boolean, duration double precision, render_ms double precision)
RETURNS TABLE (completed integer, failed integer, canceled integer, cached integer,
  footage_count integer, footage_us bigint, render_count integer, render_us bigint)
LANGUAGE sql IMMUTABLE AS $$
  SELECT (status = 'completed')::integer, (status = 'failed')::integer, (status = 'canceled')::integer,
    (status = 'completed' AND cached)::integer,
    (status = 'completed' AND duration IS NOT NULL)::integer,
    CASE WHEN status = 'completed' THEN round(coalesce(duration, 0) * 1000000)::bigint ELSE 0 END,
    (status = 'completed' AND NOT cached AND render_ms IS NOT NULL)::integer,
    CASE WHEN status = 'completed' AND NOT cached THEN round(coalesce(render_ms, 0) * 1000)::bigint ELSE 0 END
$$;

-- Once per statement: the cells of a batch are accepted by hundreds.
CREATE FUNCTION count_new_exports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO export_stat_delta (organization_id, user_id, project_id, day, hour, format, accepted, last_export_at,
    completed, failed, canceled, cached, footage_count, footage_us, render_count, render_us)
  SELECT organization_id, user_id, project_id, charged_day, charged_hour, format, count(*), max(created_at),
    sum(now.completed), sum(now.failed), sum(now.canceled), sum(now.cached),
    sum(now.footage_count), sum(now.footage_us), sum(now.render_count), sum(now.render_us)
  FROM added
  CROSS JOIN LATERAL export_counts(added.status, added.cached, added.duration, added.render_ms) AS now
  GROUP BY organization_id, user_id, project_id, charged_day, charged_hour, format;
  RETURN NULL;
END $$;

-- The difference, whatever the change was.
CREATE FUNCTION count_changed_export() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO export_stat_delta (organization_id, user_id, project_id, day, hour, format,
    completed, failed, canceled, cached, footage_count, footage_us, render_count, render_us)
  SELECT NEW.organization_id, NEW.user_id, NEW.project_id, NEW.charged_day, NEW.charged_hour, NEW.format,
    now.completed - before.completed, now.failed - before.failed, now.canceled - before.canceled,
    now.cached - before.cached, now.footage_count - before.footage_count, now.footage_us - before.footage_us,
    now.render_count - before.render_count, now.render_us - before.render_us
  FROM export_counts(OLD.status, OLD.cached, OLD.duration, OLD.render_ms) AS before,
    export_counts(NEW.status, NEW.cached, NEW.duration, NEW.render_ms) AS now;
  RETURN NULL;
END $$;

-- A file belongs to a completed export, which its own transaction has written before it.
CREATE FUNCTION count_new_artifacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO export_stat_delta (organization_id, user_id, project_id, day, hour, format, bytes)
  SELECT export.organization_id, user_id, project_id, charged_day, charged_hour, format, sum(added.size_in_bytes)
  FROM added JOIN export ON export.id = added.export_id
  GROUP BY export.organization_id, user_id, project_id, charged_day, charged_hour, format;
  RETURN NULL;
END $$;

-- In the order in which an export's own transactions lock them, and before the backfill looks: nothing is missed or counted twice.
LOCK TABLE export, artifact IN SHARE ROW EXCLUSIVE MODE;

CREATE TRIGGER export_inserted AFTER INSERT ON export
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_new_exports();
-- By row, because a condition is possible there only: progress, planning and starts pay one comparison and no call.
CREATE TRIGGER export_updated AFTER UPDATE ON export FOR EACH ROW
  WHEN ((OLD.status, OLD.cached, OLD.duration, OLD.render_ms) IS DISTINCT FROM (NEW.status, NEW.cached, NEW.duration, NEW.render_ms)
    AND (OLD.status IN ('completed', 'failed', 'canceled') OR NEW.status IN ('completed', 'failed', 'canceled')))
  EXECUTE FUNCTION count_changed_export();
CREATE TRIGGER artifact_inserted AFTER INSERT ON artifact
  REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_new_artifacts();

-- What was there before; the first fold takes it up.
INSERT INTO export_stat_delta (organization_id, user_id, project_id, day, hour, format, accepted, last_export_at,
  completed, failed, canceled, cached, footage_count, footage_us, render_count, render_us, bytes)
SELECT export.organization_id, user_id, project_id, charged_day, charged_hour, format, count(*), max(export.created_at),
  sum(now.completed), sum(now.failed), sum(now.canceled), sum(now.cached),
  sum(now.footage_count), sum(now.footage_us), sum(now.render_count), sum(now.render_us), coalesce(sum(size_in_bytes), 0)
FROM export
CROSS JOIN LATERAL export_counts(export.status, export.cached, export.duration, export.render_ms) AS now
LEFT JOIN artifact ON artifact.export_id = export.id
GROUP BY export.organization_id, user_id, project_id, charged_day, charged_hour, format;

-- history -------------------------------------------------------------------------------------------------------------
-- Few exports are not completed; without this a list of the failed is looked for among all of them.
CREATE INDEX export_status_history ON export (organization_id, status, created_at DESC, id DESC) WHERE status <> 'completed';
`;
