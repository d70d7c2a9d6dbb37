import type { DeliveryFailure, DeliveryState } from '../../core/delivery/outcomes.ts';
import type { LoggedAttempt } from '../../platform/db/schema-events.ts';
import type { DueDelivery } from './due-deliveries.ts';

/** What became of a delivery. */
export interface Outcome {
  readonly delivery: DueDelivery;
  readonly state: DeliveryState;
  /** Of a delivery that is pending still: when it is tried again. */
  readonly nextAt: Date | null;
  readonly failure: DeliveryFailure | null;
  readonly reason: string | null;
  /** null: no attempt was made. */
  readonly attempt: LoggedAttempt | null;
}
