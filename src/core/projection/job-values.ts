import { durationBucket, fileSizeBucket, resolutionBucket, resolutionBucketOf } from './buckets.ts';
import type { DerivedValues } from './derived-names.ts';
import type { ProjectedEvent } from './projected-event.ts';

type Properties = ProjectedEvent['properties'];

const jobEvents: ReadonlySet<string> = new Set([
  'job_created',
  'processing_completed',
  'processing_failed',
  'video_rendered',
]);

/** A tenant's properties may hold anything: what is no number from 0 to 2^53, so that sums of them stay numbers, is not there. */
export const amountOf = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER ? value : undefined;

const resolution = ({ width, height, resolution: text }: Properties): string | undefined => {
  const [across, down] = [amountOf(width), amountOf(height)];
  if (across !== undefined && down !== undefined) return resolutionBucket(across, down);
  return typeof text === 'string' ? resolutionBucketOf(text) : undefined;
};

const retries = ({ attempt, retry_count }: Properties): DerivedValues => {
  const attempts = amountOf(attempt);
  if (attempts === undefined || retry_count !== undefined) return {};
  return { retry_count: Math.max(0, attempts - 1) };
};

const failure = ({ event, properties }: ProjectedEvent): DerivedValues => {
  if (event === 'processing_completed') return { failure_reason_code: null };
  const isTold = event === 'processing_failed' && typeof properties.error_code === 'string';
  return isTold ? { failure_reason_code: properties.error_code } : {};
};

/** Of an event that tells of a job: its numbers in buckets. */
export const jobValues = (event: ProjectedEvent): DerivedValues => {
  if (!jobEvents.has(event.event)) return {};
  const { properties } = event;
  const seconds = amountOf(properties.duration_seconds);
  const bytes = amountOf(properties.video_bytes) ?? amountOf(properties.sizeInBytes);
  const pixels = resolution(properties);
  return {
    ...(seconds === undefined ? {} : { video_duration_bucket: durationBucket(seconds) }),
    ...(pixels === undefined ? {} : { resolution_bucket: pixels }),
    ...(bytes === undefined ? {} : { file_size_bucket: fileSizeBucket(bytes) }),
    ...retries(properties),
    ...failure(event),
  };
};
