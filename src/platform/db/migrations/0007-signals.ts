/** What our own server sees beside the outcome of an export: polls, the same asked for again, sound, downloads. */
export const signals = `
ALTER TABLE export
  -- How often its state was asked for before it came to its end.
  ADD COLUMN status_polls integer NOT NULL DEFAULT 0,
  -- Names what was asked for: the same of one user, the same file, or nearly. Of exports from before this there is none.
  ADD COLUMN input_hash   text;
-- Found by its oldest: a batch of a hundred thousand equal cells costs no more than one.
CREATE INDEX export_input ON export (organization_id, user_id, input_hash, created_at) WHERE input_hash IS NOT NULL;

-- Null: not a video, or not known.
ALTER TABLE artifact ADD COLUMN has_sound boolean;

-- Of a file, or of an archive under the id that its files always have. The windows are forgotten after a day, this is not.
CREATE TABLE download_count (
  organization_id text NOT NULL,
  file_id         uuid NOT NULL,
  downloads       integer NOT NULL,
  PRIMARY KEY (organization_id, file_id)
);
`;
