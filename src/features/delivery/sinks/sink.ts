/**
 * The interface of a sink: one file in this folder each. The dispatcher does everything else: claims, order, retries, back-off,
 * the circuit breaker, the log of attempts. docs/sinks.md shows how to add one.
 */
import type { Verdict } from '../../../core/delivery/outcomes.ts';
import type { SinkEvent } from '../../../core/delivery/sink-event.ts';

export interface Sink {
  /** Events that one call of `deliver` takes at most. */
  readonly batchSize: number;
  /** Calls of `deliver` at once, in one dispatcher. */
  readonly concurrency: number;
  /** Calls of `deliver` per second at most, in one dispatcher; absent: no limit. */
  readonly callsPerSecond?: number;
  /**
   * Hands the events over, in this order, and says of each, at the same index, what became of it. Never rejects for what another
   * server does: that is a verdict. Ends soon after the signal is aborted, and within `attemptMs` in any case.
   */
  deliver(events: readonly SinkEvent[], signal: AbortSignal): Promise<readonly Verdict[]>;
  close(): Promise<void>;
}

/** One call of `deliver` may take this long, milliseconds; a lease outlives it. */
export const attemptMs = 15_000;
