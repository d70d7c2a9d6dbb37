/** Endpoints that fail are warned of and disabled, what they miss meanwhile is known, and their secrets may be encrypted. */
export const webhookHealth = `
ALTER TABLE event_sink
  -- failing_since: since then it has accepted nothing of what it was sent. The last failure, and the last warning, hours.
  ADD COLUMN last_failed_at timestamptz,
  ADD COLUMN warned_hours   smallint NOT NULL DEFAULT 0,
  -- When it is disabled if it goes on; null: never.
  ADD COLUMN disables_at    timestamptz,
  ADD COLUMN disabled_at    timestamptz,
  -- What was received then is for replay: it was disabled. Until null: it is still.
  ADD COLUMN missed_from    timestamptz,
  ADD COLUMN missed_until   timestamptz;
UPDATE event_sink SET disabled_at = updated_at, missed_from = updated_at WHERE status = 'disabled';

-- The key that encrypts it; null: it lies there as it is.
ALTER TABLE webhook_secret ADD COLUMN key_id text;
`;
