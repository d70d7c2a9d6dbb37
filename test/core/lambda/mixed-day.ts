/** The orders of a day, decided by a seed. */
import type { Urgency } from '../../../src/core/lambda/slots.ts';

export interface Order {
  readonly id: string;
  /** Seconds since midnight. */
  readonly arrivesAt: number;
  readonly kind: 'still' | 'video';
  readonly urgency: Urgency;
  readonly frames: number;
  /** Of one function's work. */
  readonly secondsPerFrame: number;
  readonly campaign: number | null;
}

const fps = 30;
const hour = 3_600;
/** Of what arrives in the busiest hour, from midnight on. */
const hours = [
  0.05, 0.03, 0.02, 0.02, 0.03, 0.06, 0.15, 0.35, 0.65, 0.9, 1, 1, 0.9, 0.95, 1, 0.95, 0.8, 0.6, 0.5, 0.45,
  0.35, 0.25, 0.15, 0.08,
];

/** Small values as likely as large ones, by factor. */
const between = (chance: () => number, least: number, most: number): number =>
  least * (most / least) ** chance();

/** A Poisson process whose rate the hour decides (thinning: Lewis and Shedler 1979). */
const arrivals = (chance: () => number, perBusyHour: number): number[] => {
  const times: number[] = [];
  let now = 0;
  for (;;) {
    now -= (Math.log(1 - chance()) * hour) / perBusyHour;
    if (now >= 24 * hour) return times;
    if (chance() < (hours[Math.floor(now / hour)] ?? 0)) times.push(now);
  }
};

const campaignOf = (chance: () => number, arrivesAt: number, campaign: number): Order[] => {
  const cells = Math.round(between(chance, 100, 900));
  const frames = Math.round(between(chance, 6, 30) * fps);
  const secondsPerFrame = between(chance, 0.04, 0.16);
  return Array.from({ length: cells }, (_, index) => ({
    id: `cell-${campaign}-${index}`,
    arrivesAt,
    kind: 'video',
    urgency: 'batch',
    frames,
    secondsPerFrame,
    campaign,
  }));
};

/** In the order in which they arrive. */
export const mixedDay = (
  chance: () => number,
  perBusyHour: { videos: number; stills: number; campaigns: number },
): Order[] => {
  const videos = arrivals(chance, perBusyHour.videos).map(
    (arrivesAt, index): Order => ({
      id: `video-${index}`,
      arrivesAt,
      kind: 'video',
      urgency: 'interactive',
      frames: Math.round(between(chance, 5, 120) * fps),
      secondsPerFrame: between(chance, 0.04, 0.16),
      campaign: null,
    }),
  );
  const stills = arrivals(chance, perBusyHour.stills).map(
    (arrivesAt, index): Order => ({
      id: `still-${index}`,
      arrivesAt,
      kind: 'still',
      urgency: 'interactive',
      frames: 1,
      secondsPerFrame: 0.3,
      campaign: null,
    }),
  );
  const cells = arrivals(chance, perBusyHour.campaigns).flatMap((at, index) => campaignOf(chance, at, index));
  return [...videos, ...stills, ...cells].toSorted((a, b) => a.arrivesAt - b.arrivesAt);
};
