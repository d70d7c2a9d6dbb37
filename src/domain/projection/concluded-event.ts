import { createHash } from 'node:crypto';
import type { NewEvent } from '../../core/events/new-event.ts';
import type { Conclusion } from '../../core/projection/conclusion.ts';

/** A UUID of version 8 (RFC 9562) made of the cause and the name: concluded again, it is the same event. */
const concludedId = (causeId: string, name: string): string => {
  const bytes = createHash('sha256')
    .update(`rendermill:concluded:${causeId}:${name}`)
    .digest()
    .subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
};

/** With the time and the envelope of its cause, and the user whom the cause turned out to be of. */
export const concludedEvent = ({ fact, cause, userId }: Conclusion): NewEvent => ({
  ...fact,
  id: concludedId(cause.id, fact.name),
  organizationId: cause.organizationId,
  source: 'server',
  occurredAt: cause.occurredAt,
  ...(userId === null ? {} : { userId }),
  ...(cause.distinctId === null ? {} : { distinctId: cause.distinctId }),
  ...(cause.sessionId === null ? {} : { sessionId: cause.sessionId }),
  ...(cause.correlationId === null ? {} : { correlationId: cause.correlationId }),
  ...(cause.entityType === null || cause.entityId === null
    ? {}
    : { entity: { type: cause.entityType, id: cause.entityId } }),
});
