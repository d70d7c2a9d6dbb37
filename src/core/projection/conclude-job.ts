/** What follows from the end of a job or a batch: how long its user waited, whether it is one who came back, how well it went. */
import { latencyBucket } from './buckets.ts';
import type { ConcludedFact } from './conclusion.ts';
import { amountOf } from './job-values.ts';
import { conclude, type Moment, personOf, stateOf } from './page.ts';
import type { ProjectedEvent } from './projected-event.ts';
import { isInReturn } from './session.ts';

/** Tenants' own systems may count theirs. */
const jobIdOf = ({ properties }: ProjectedEvent): string | undefined => {
  const { job_id: id } = properties;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : undefined;
};

/** From acceptance to end: the wait and the work. Without the work nobody knows when it ended. */
const concludeLatency = (moment: Moment, job_id: string): void => {
  const { processing_time_ms, queue_wait_ms } = moment.event.properties;
  const work = amountOf(processing_time_ms);
  if (work === undefined) return;
  const latency_ms = work + (amountOf(queue_wait_ms) ?? 0);
  const properties = { job_id, bucket: latencyBucket(latency_ms), latency_ms };
  conclude(moment, { name: 'latency_bucket', properties });
};

const concludeReturn = (moment: Moment, job_id: string): void => {
  const { event, userId, page, at } = moment;
  const who = userId === null ? null : personOf(event.organizationId, moment.facts);
  if (who === null || !isInReturn(stateOf(page, who), at)) return;
  conclude(moment, { name: 'job_completed_returning_user', properties: { job_id } });
};

export const concludeJob = (moment: Moment): void => {
  const jobId = jobIdOf(moment.event);
  if (moment.event.event !== 'processing_completed' || jobId === undefined) return;
  concludeLatency(moment, jobId);
  concludeReturn(moment, jobId);
};

/** Undefined for a batch that does not tell its counts, as a tenant's own may not. */
const metricsOf = ({ properties }: ProjectedEvent): ConcludedFact | undefined => {
  const { jobId } = properties;
  const [succeeded, failed] = [amountOf(properties.successCount), amountOf(properties.failCount)];
  if (typeof jobId !== 'string' || succeeded === undefined || failed === undefined) return undefined;
  const items = succeeded + failed;
  const duration = amountOf(properties.duration);
  return {
    name: 'batch_metrics_computed',
    properties: {
      jobId,
      success_rate: items === 0 ? 0 : succeeded / items,
      // Without a duration nothing was begun; within one millisecond a great deal can be.
      items_per_minute: duration === undefined ? 0 : (items * 60_000) / Math.max(1, duration),
      ...(duration === undefined ? {} : { duration }),
    },
  };
};

export const concludeBatch = (moment: Moment): void => {
  const { event } = moment;
  if (event.event !== 'batch_completed' && event.event !== 'batch_failed') return;
  const metrics = event.entityType === 'batch' ? metricsOf(event) : undefined;
  if (metrics) conclude(moment, metrics);
};
