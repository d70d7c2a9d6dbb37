/** Names for ranges of a number. A bound belongs to the bucket above it, where nothing else is said. */

const megabyte = 1_000_000;

export const durationBucket = (seconds: number): string => {
  if (seconds < 10) return '0-10s';
  if (seconds < 30) return '10-30s';
  return seconds < 60 ? '30-60s' : '60s+';
};

export const fileSizeBucket = (bytes: number): string => {
  if (bytes < 5 * megabyte) return '0-5mb';
  if (bytes < 50 * megabyte) return '5-50mb';
  return bytes < 150 * megabyte ? '50-150mb' : '150mb+';
};

/**
 * By the shorter side, so that an upright video counts like a lying one: the largest of the three that it reaches, and the smallest
 * for what reaches none.
 */
export const resolutionBucket = (width: number, height: number): string => {
  const shorter = Math.min(width, height);
  if (shorter >= 2160) return '4k';
  return shorter >= 1080 ? '1080p' : '720p';
};

/** `1080x1920`, or a shorter side alone: `1080p`, `4k`. Undefined for what says no number of pixels. */
export const resolutionBucketOf = (resolution: string): string | undefined => {
  if (/^4k$/i.test(resolution)) return '4k';
  const [, width, height] = /^(\d{1,6})\s*[x×]\s*(\d{1,6})$/i.exec(resolution) ?? [];
  if (width && height) return resolutionBucket(Number(width), Number(height));
  const [, side] = /^(\d{3,5})p$/i.exec(resolution) ?? [];
  return side ? resolutionBucket(Number(side), Number(side)) : undefined;
};

export type LatencyBucket = '<30s' | '30-120s' | '>120s';

/** Both bounds belong to the one in the middle. */
export const latencyBucket = (milliseconds: number): LatencyBucket => {
  if (milliseconds < 30_000) return '<30s';
  return milliseconds <= 120_000 ? '30-120s' : '>120s';
};
