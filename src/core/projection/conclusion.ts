import type { EventProperties } from '../events/catalog.ts';
import type { ProjectedEvent } from './projected-event.ts';

/** Events that nobody sends: the projector concludes them from others. None of them is a cause of another. */
export type ConcludedName =
  | 'activation_complete'
  | 'return_session'
  | 'upload_returning_user'
  | 'job_completed_returning_user'
  | 'latency_bucket'
  | 'batch_metrics_computed'
  | 'first_landing_recorded';

export type ConcludedFact = {
  readonly [Name in ConcludedName]: { readonly name: Name; readonly properties: EventProperties<Name> };
}[ConcludedName];

/** What the log is to say besides its cause, whose envelope and time it takes. */
export interface Conclusion {
  readonly fact: ConcludedFact;
  readonly cause: ProjectedEvent;
  readonly userId: string | null;
}
