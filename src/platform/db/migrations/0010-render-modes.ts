/** Who may render where, which worker serves which mode, and since when nobody does. */
export const renderModes = `
ALTER TABLE organization
  -- What was decided of it, by mode: true, it may; false, it may not. What is absent is as the installation has it.
  ADD COLUMN render_modes jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(render_modes) = 'object');

-- Who renders on Lambda today goes on; everybody else asks the operator first.
UPDATE organization SET render_modes = '{"lambda": true}'
  WHERE id IN (SELECT organization_id FROM export WHERE render_mode = 'lambda'
    UNION SELECT organization_id FROM batch WHERE render_mode = 'lambda');

ALTER TABLE worker
  -- What it is set up for, also while it is paused and takes nothing.
  ADD COLUMN render_modes text[] NOT NULL DEFAULT '{local}';
UPDATE worker SET render_modes = '{local,lambda}' WHERE lambda_concurrency > 0;

CREATE TABLE render_mode_watch (
  render_mode    text PRIMARY KEY CHECK (render_mode IN ('local', 'lambda')),
  -- No live worker serves it; null: one does.
  unserved_since timestamptz,
  -- Where nobody has looked for long, the whole installation was down, and the counting begins anew.
  looked_at      timestamptz NOT NULL
);
`;
