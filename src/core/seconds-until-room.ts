/** How long a line was at one moment. */
export interface LineSample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly waiting: number;
  /** How many had come into it until then, since any beginning that the samples share. */
  readonly accepted: number;
}

/** Where none was seen to leave. */
const unknownSeconds = 30;
const leastSeconds = 5;
const mostSeconds = 300;

/** Seconds until as many as `excess` have left the line, at the pace from the first sample to the last: 5 to 300. */
export const secondsUntilRoom = (samples: readonly LineSample[], excess: number): number => {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined) return unknownSeconds;
  const left = first.waiting - last.waiting + (last.accepted - first.accepted);
  if (left <= 0 || last.at <= first.at) return unknownSeconds;
  const seconds = Math.ceil((excess / left) * ((last.at - first.at) / 1000));
  return Math.min(mostSeconds, Math.max(leastSeconds, seconds));
};
