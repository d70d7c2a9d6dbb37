import type { NewEvent } from '../../../src/core/events/new-event.ts';
import type { Payload } from './payload.ts';

/** An event of ours with about as many facts as the payload of a job. */
export const jobEvent = ({ id, userId, timestamp, properties }: Payload): NewEvent<'video_rendered'> => ({
  name: 'video_rendered',
  id,
  organizationId: 'bench',
  userId,
  source: 'worker',
  occurredAt: new Date(timestamp),
  entity: { type: 'export', id: String(properties.job_id) },
  properties: {
    compositionId: String(properties.compositionId),
    format: String(properties.format),
    width: 1080,
    height: 1080,
    sizeInBytes: 123_456,
    duration: Number(properties.processing_time_ms),
    timestamp,
    userId,
  },
});
