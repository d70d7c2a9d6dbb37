/** What was rendered of a composition last, from which paces are measured: found among however many that wait or were canceled. */
export const renderedExports = `
CREATE INDEX export_rendered ON export (organization_id, composition_id, kind, format, render_mode, created_at DESC)
  WHERE status = 'completed' AND NOT cached AND render_ms > 0;
`;
