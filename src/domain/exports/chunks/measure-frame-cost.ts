import { sql } from 'kysely';
import { frameCost, type RenderedVideo } from '../../../core/frame-cost.ts';
import type { Reader } from '../../../platform/db/client.ts';
import type { Export } from '../export.ts';

/** What is older was another machine, or another load. */
const lastVideos = 25;

/**
 * Milliseconds that one slot needs for a frame of this video: as measured in what was rendered of the same composition, in pictures of
 * any size; else what pictures of that size usually take.
 */
export const measureFrameCost = async (
  db: Reader,
  row: Pick<Export, 'organization_id' | 'composition_id' | 'format'>,
  video: { width: number; height: number; fps: number },
): Promise<number> => {
  const { rows } = await sql<RenderedVideo>`
    SELECT render_ms AS "renderMs", duration * ${video.fps}::double precision AS frames,
      width::double precision * height / 1e6 AS megapixels
    FROM export
    WHERE organization_id = ${row.organization_id} AND composition_id = ${row.composition_id} AND kind = 'video'
      AND format = ${row.format} AND render_mode = 'local'
      AND status = 'completed' AND NOT cached AND render_ms > 0 AND duration > 0 AND width > 0 AND height > 0
    ORDER BY created_at DESC LIMIT ${lastVideos}`.execute(db);
  return frameCost(rows, (video.width * video.height) / 1e6);
};
