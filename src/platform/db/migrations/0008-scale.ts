/** One video on many workers, Lambda renders that outlive their worker, files that expire, and workers that say why they pause. */
export const scale = `
ALTER TABLE export
  -- A video that is cut: into how many chunks, how many of them are done, and what the join must know. Null: it is rendered whole.
  ADD COLUMN chunks        integer,
  ADD COLUMN chunk_plan    jsonb,
  ADD COLUMN chunks_done   integer NOT NULL DEFAULT 0,
  -- The render that goes on at AWS whatever becomes of the worker that watches it.
  ADD COLUMN remote_render jsonb,
  -- Not planned before: the renderer had no room.
  ADD COLUMN not_before    timestamptz;

-- A line for each organization and tier, since tiers are capped. A cut video whose chunks are done is started and in line again, to be joined.
DROP INDEX export_line;
CREATE INDEX export_line ON export (render_mode, organization_id, tier, priority, created_at, line_order, id)
  WHERE status IN ('queued', 'started') AND fed_at IS NULL;

CREATE TABLE render_chunk (
  id              uuid PRIMARY KEY,
  export_id       uuid NOT NULL REFERENCES export,
  organization_id text NOT NULL,
  -- 0 is the first.
  number          integer NOT NULL,
  -- Both ends included, of the whole composition.
  first_frame     integer NOT NULL,
  last_frame      integer NOT NULL,
  status          text NOT NULL DEFAULT 'waiting' CHECK (status IN ('waiting', 'started', 'done')),
  -- The fencing token, as of an export.
  epoch           integer NOT NULL DEFAULT 0,
  attempt         integer NOT NULL DEFAULT 0,
  failed_attempts integer NOT NULL DEFAULT 0,
  hand_backs      integer NOT NULL DEFAULT 0,
  rendered_frames integer NOT NULL DEFAULT 0,
  worker_id       uuid,
  -- What it came to: keys in storage, sizes, hashes.
  result          jsonb,
  render_ms       double precision,
  created_at      timestamptz NOT NULL,
  fed_at          timestamptz,
  started_at      timestamptz,
  done_at         timestamptz,
  UNIQUE (export_id, number)
);
CREATE INDEX render_chunk_line ON render_chunk (organization_id) WHERE status <> 'done' AND fed_at IS NULL;
CREATE INDEX render_chunk_in_flight ON render_chunk (fed_at) WHERE status <> 'done' AND fed_at IS NOT NULL;

ALTER TABLE artifact
  -- When the file may be removed by its tier's retention, and when it was. The record stays.
  ADD COLUMN expires_at timestamptz,
  ADD COLUMN expired_at timestamptz;
CREATE INDEX artifact_expiry ON artifact (expires_at) WHERE expired_at IS NULL AND expires_at IS NOT NULL;
CREATE INDEX artifact_blob ON artifact (storage_key);

-- The storage that belongs to this database; it carries the same id.
ALTER TABLE installation ADD COLUMN storage_id uuid;

ALTER TABLE worker
  -- Lambda renders that it can watch at once.
  ADD COLUMN lambda_concurrency integer NOT NULL DEFAULT 0,
  -- Why it takes no new work.
  ADD COLUMN paused             text CHECK (paused IN ('disk', 'memory'));
`;
