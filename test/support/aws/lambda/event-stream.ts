import { EventStreamCodec } from '@smithy/eventstream-codec';
import { fromUtf8, toUtf8 } from '@smithy/util-utf8';
import type { Outcome } from './execution-environment.ts';

const codec = new EventStreamCodec(toUtf8, fromUtf8);

/** Small enough that Remotion's own messages cross the borders of frames. */
const largestFrameBytes = 64 * 1024;

const frame = (event: string, contentType: string, body: Uint8Array): Buffer =>
  Buffer.from(
    codec.encode({
      headers: {
        ':message-type': { type: 'string', value: 'event' },
        ':event-type': { type: 'string', value: event },
        ':content-type': { type: 'string', value: contentType },
      },
      body,
    }),
  );

export const payloadFrames = (chunk: Buffer): Buffer =>
  Buffer.concat(
    Array.from({ length: Math.ceil(chunk.length / largestFrameBytes) }, (_, index) =>
      frame(
        'PayloadChunk',
        'application/octet-stream',
        chunk.subarray(index * largestFrameBytes, (index + 1) * largestFrameBytes),
      ),
    ),
  );

/** The last frame: how it went. */
export const completionFrame = (outcome: Outcome): Buffer => {
  const failed = outcome.error === null ? {} : { ErrorCode: outcome.error, ErrorDetails: outcome.details };
  return frame(
    'InvokeComplete',
    'application/json',
    Buffer.from(JSON.stringify({ ...failed, LogResult: '' })),
  );
};
