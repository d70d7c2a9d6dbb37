/** The days that statistics are asked for. A day is YYYY-MM-DD, in the organization's time zone; nothing here knows of instants. */
import { RendermillError } from './errors.ts';

export const defaultWindowDays = 30;
export const maxWindowDays = 366;
/** Before any export; Postgres has no year 0000. */
const firstDay = '1970-01-01';
const lastDay = '9998-12-31';

export interface StatWindow {
  /** The first and the last day of it. */
  readonly from: string;
  readonly until: string;
}

const dayMs = 86_400_000;
const numberOf = (day: string): number => Date.parse(`${day}T00:00:00Z`) / dayMs;
const dayOf = (number: number): string => new Date(number * dayMs).toISOString().slice(0, 10);

export const addDays = (day: string, days: number): string => dayOf(numberOf(day) + days);

const refuse = (message: string): never => {
  throw new RendermillError('invalid_request', { message });
};

/** By default the 30 days that end with `until`, which is today by default. Throws `invalid_request` for a window that none can mean. */
export const planWindow = (
  asked: { readonly from?: string | undefined; readonly until?: string | undefined },
  today: string,
): StatWindow => {
  for (const day of [asked.from, asked.until]) {
    if (day !== undefined && (day < firstDay || day > lastDay))
      refuse(`${day} is out of reach: give days from ${firstDay} to ${lastDay}.`);
  }
  const until = asked.until ?? today;
  const from = asked.from ?? addDays(until, 1 - defaultWindowDays);
  if (from > until) {
    const ends = asked.until === undefined ? `today, ${until}` : until;
    refuse(
      `The window begins on ${from}, after its last day (${ends}): give a from that is not after until.`,
    );
  }
  const days = numberOf(until) - numberOf(from) + 1;
  if (days > maxWindowDays)
    refuse(
      `The window from ${from} to ${until} has ${days} days; ${maxWindowDays} are the most. Ask for it in parts.`,
    );
  return { from, until };
};

/** Each of them, in order. */
export const daysIn = ({ from, until }: StatWindow): readonly string[] =>
  Array.from({ length: numberOf(until) - numberOf(from) + 1 }, (_, index) => addDays(from, index));

/** First days of the months that end with the one of this day, in order. */
export const monthsUntil = (day: string, count: number): readonly string[] => {
  const [year = 0, month = 0] = day.split('-').map(Number);
  return Array.from({ length: count }, (_, index) =>
    new Date(Date.UTC(year, month - count + index, 1)).toISOString().slice(0, 10),
  );
};

export interface MonthOfWindow {
  /** Its first day. */
  readonly month: string;
  /** Those of its days that lie in the window: bit 0 is the first. */
  readonly days: number;
}

/** In order. */
export const monthsOf = (window: StatWindow): readonly MonthOfWindow[] => {
  const months = new Map<string, number>();
  for (const day of daysIn(window)) {
    const month = `${day.slice(0, 7)}-01`;
    months.set(month, (months.get(month) ?? 0) | (1 << (Number(day.slice(8)) - 1)));
  }
  return [...months].map(([month, days]) => ({ month, days }));
};
