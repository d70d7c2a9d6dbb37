import { InvalidArgumentError } from 'commander';
import { z } from 'zod';

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const day = z.iso.date();
const time = z.iso.datetime({ offset: true });

/** Such as 2026-03-10T12:00:00Z, 2026-03-10 (its beginning, UTC), or 30m, 2h, 3d: so long ago. */
export const pastTime = (text: string, now: Date): Date => {
  const [, count, unit = ''] = /^(\d{1,5})([mhd])$/.exec(text) ?? [];
  if (count !== undefined) return new Date(now.getTime() - Number(count) * (unitMs[unit] ?? 0));
  if (day.safeParse(text).success || time.safeParse(text).success) return new Date(text);
  throw new InvalidArgumentError(
    'Expected a time such as 2026-03-10T12:00:00Z, a day such as 2026-03-10 (UTC), or 30m, 2h or 3d for so long ago.',
  );
};
