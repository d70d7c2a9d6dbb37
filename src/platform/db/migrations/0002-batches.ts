/** Batches: campaigns and CSV imports, their runs, and what an export needs to be one of their cells. */
export const batches = `
-- batches -------------------------------------------------------------------------------------------------------------
CREATE TABLE batch (
  id              uuid PRIMARY KEY,
  organization_id text NOT NULL,
  user_id         text NOT NULL,
  project_id      text NOT NULL,
  job_type        text NOT NULL CHECK (job_type IN ('campaign', 'csv_import')),
  -- The tenant's own name for it.
  campaign_id     text,
  -- The last run; 0: still being staged, nothing is reserved yet.
  run             integer NOT NULL DEFAULT 0,
  kind            text NOT NULL CHECK (kind IN ('still', 'video')),
  format          text NOT NULL,
  render_mode     text NOT NULL CHECK (render_mode IN ('local', 'lambda')),
  composition_id  text NOT NULL,
  version         text NOT NULL,
  -- What every cell is asked for beyond its props and its size: scale, quality, frame, frame range.
  template        jsonb NOT NULL,
  sizes           jsonb NOT NULL,
  variant_count   integer NOT NULL,
  -- Whether a file that was made before of the very same may be used again.
  reuse           boolean NOT NULL,
  -- Of an import: the file, its rows, and what was wrong with those that were refused.
  report          jsonb,
  created_at      timestamptz NOT NULL,
  updated_at      timestamptz NOT NULL,
  FOREIGN KEY (organization_id, user_id) REFERENCES end_user
);
CREATE INDEX batch_history ON batch (organization_id, created_at DESC, id DESC);
CREATE INDEX batch_name ON batch (organization_id, campaign_id, created_at DESC) WHERE campaign_id IS NOT NULL;
CREATE INDEX batch_staged ON batch (created_at) WHERE run = 0;

CREATE TABLE batch_variant (
  batch_id uuid NOT NULL REFERENCES batch ON DELETE CASCADE,
  position integer NOT NULL,
  name     text NOT NULL,
  locale   text,
  props    jsonb NOT NULL,
  -- Of an import: the line of the file.
  line     integer,
  PRIMARY KEY (batch_id, position)
);

-- One acceptance of a batch: all of its cells, or those that failed before. Counts what its cells came to.
CREATE TABLE batch_run (
  batch_id            uuid NOT NULL REFERENCES batch ON DELETE CASCADE,
  run                 integer NOT NULL,
  status              text NOT NULL DEFAULT 'accepted'
                      CHECK (status IN ('accepted', 'running', 'completed', 'failed', 'canceled')),
  total               integer NOT NULL CHECK (total > 0),
  -- Cells that have become exports, or never will because the run was canceled before.
  planned             integer NOT NULL DEFAULT 0,
  succeeded           integer NOT NULL DEFAULT 0,
  failed              integer NOT NULL DEFAULT 0,
  canceled            integer NOT NULL DEFAULT 0,
  -- Of those that succeeded: without rendering.
  cached              integer NOT NULL DEFAULT 0,
  tier                text NOT NULL,
  max_duration        double precision,
  charged_day         date NOT NULL,
  charged_hour        integer NOT NULL,
  credits_per_cell    integer NOT NULL,
  correlation_id      text,
  -- The campaign queue's work on it: due, planned into the queue under this epoch at this time.
  due                 boolean NOT NULL DEFAULT true,
  epoch               integer NOT NULL DEFAULT 0,
  fed_at              timestamptz,
  cancel_requested_at timestamptz,
  created_at          timestamptz NOT NULL,
  started_at          timestamptz,
  closed_at           timestamptz,
  updated_at          timestamptz NOT NULL,
  PRIMARY KEY (batch_id, run),
  CHECK (planned <= total AND succeeded + failed + canceled <= planned AND cached <= succeeded)
);
CREATE INDEX batch_run_due ON batch_run (created_at) WHERE due;

-- exports -------------------------------------------------------------------------------------------------------------
ALTER TABLE export
  ADD COLUMN variant      integer,
  ADD COLUMN size         integer,
  -- Exports of one key may be rendered in one call; null: alone.
  ADD COLUMN group_key    text,
  -- The job that several exports were planned into together; null: a job of its own.
  ADD COLUMN group_id     uuid,
  -- Within one time of creation: what the planner wants first.
  ADD COLUMN line_order   integer NOT NULL DEFAULT 0,
  ADD COLUMN charged_hour integer,
  ADD COLUMN render_ms    double precision,
  ADD COLUMN cached       boolean NOT NULL DEFAULT false;

UPDATE export SET charged_hour = extract(hour FROM export.created_at AT TIME ZONE organization.time_zone)
  FROM organization WHERE organization.id = export.organization_id;
ALTER TABLE export ALTER COLUMN charged_hour SET NOT NULL;

DROP INDEX export_line;
CREATE INDEX export_line ON export (organization_id, priority, created_at, line_order, id)
  WHERE status = 'queued' AND fed_at IS NULL;
-- A cell is rendered once in a run, however often the planning is done again.
CREATE UNIQUE INDEX export_cell ON export (batch_id, run, variant, size) WHERE batch_id IS NOT NULL;
CREATE INDEX export_group ON export (group_id) WHERE group_id IS NOT NULL AND status IN ('queued', 'started');
CREATE INDEX export_content ON export (organization_id, content_hash, completed_at DESC)
  WHERE content_hash IS NOT NULL AND status = 'completed';

-- compositions --------------------------------------------------------------------------------------------------------
-- Whether many stills of a composition in one page are, byte for byte, what they are in a page each.
CREATE TABLE still_check (
  organization_id  text NOT NULL,
  version          text NOT NULL,
  composition_id   text NOT NULL,
  renderer_version text NOT NULL,
  identical        boolean NOT NULL,
  checked_at       timestamptz NOT NULL,
  PRIMARY KEY (organization_id, version, composition_id, renderer_version)
);

-- credits -------------------------------------------------------------------------------------------------------------
ALTER TABLE credit_entry ADD COLUMN batch_id uuid, ADD COLUMN run integer;
-- A run spends for all of its cells in one entry, and gets back in one what never became an export.
CREATE UNIQUE INDEX credit_entry_run_once ON credit_entry (batch_id, run, kind) WHERE batch_id IS NOT NULL AND export_id IS NULL;
`;
