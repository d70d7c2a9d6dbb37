export type InvocationKind = 'RequestResponse' | 'Event' | 'ResponseStream';

export interface InvocationRecord {
  /** Of Remotion's payload; null for others. */
  readonly type: string | null;
  readonly kind: InvocationKind;
  /** From the hand-over of the payload to the outcome. */
  readonly ms: number;
  /** A process was started for it. */
  readonly isCold: boolean;
  readonly environmentId: string;
  /** `Unhandled`, `Runtime.ExitError`, `Sandbox.Timedout`; null when it went well. */
  readonly error: string | null;
}

export interface LambdaStatistics {
  /** Those that ended, in that order. */
  readonly invocations: InvocationRecord[];
  active: number;
  peakConcurrency: number;
  coldStarts: number;
  throttled: number;
}

export const createStatistics = (): LambdaStatistics => ({
  invocations: [],
  active: 0,
  peakConcurrency: 0,
  coldStarts: 0,
  throttled: 0,
});
