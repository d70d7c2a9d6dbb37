/** Renders that go on at AWS though nobody watches them are found without a look at every export that ended. */
export const leftRenders = `
CREATE INDEX export_left_render ON export (id)
  WHERE remote_render IS NOT NULL
    AND (status IN ('failed', 'canceled') OR render_mode = 'local' AND status IN ('queued', 'started', 'completed'));
`;
