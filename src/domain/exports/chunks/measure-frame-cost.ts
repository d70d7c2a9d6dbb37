import { sql } from 'kysely';
import type { Reader } from '../../../platform/db/client.ts';
import type { Export } from '../export.ts';

/** So many of the organization's last exports are looked at, whatever they were: the look stays quick. */
const lastExports = 2_000;
/** Measured on two cores, with one slot: 45 ms for 1080 × 1080, 65 ms for 1920 × 1080. */
const msBeside = 20;
const msPerMegapixel = 22;

/**
 * Milliseconds that one slot needs for a frame of this video: as measured in what was rendered of the same composition, in pictures of
 * any size; else what pictures of that size usually take.
 */
export const measureFrameCost = async (
  db: Reader,
  row: Pick<Export, 'organization_id' | 'composition_id' | 'format'>,
  video: { width: number; height: number; fps: number },
): Promise<number> => {
  const megapixels = (video.width * video.height) / 1e6;
  const usual = msBeside + msPerMegapixel * megapixels;
  const { rows } = await sql<{ ratio: number | null }>`
    SELECT sum(render_ms) / sum(duration * (${msBeside}::double precision + ${msPerMegapixel}::double precision * width * height / 1e6)) / ${video.fps}::double precision AS ratio
    FROM (
      SELECT * FROM export WHERE organization_id = ${row.organization_id}
      ORDER BY created_at DESC, id DESC LIMIT ${lastExports}
    ) AS recent
    WHERE status = 'completed' AND NOT cached AND render_mode = 'local' AND kind = 'video'
      AND composition_id = ${row.composition_id} AND format = ${row.format} AND render_ms > 0 AND duration > 0`.execute(
    db,
  );
  return usual * (rows[0]?.ratio ?? 1);
};
