/** Timers of a tenant's work. Source: the domain-event document. */
import { defineFamily } from './define-event.ts';
import { foreignId, seconds, text } from './properties.ts';

const timer = defineFamily(
  { family: 'timers', retention: 'business', sources: ['server', 'worker'] },
  {
    timer_id: foreignId.optional(),
    batch_id: foreignId.optional(),
    duration_seconds: seconds.nullable().optional().describe('Seconds that it is set to, or that it ran'),
    description: text,
  },
);

export const timerEvents = {
  timer_started: timer('A timer was started.', {}, { countsUse: true }),
  timer_stopped: timer('A timer was stopped.', {}, { countsUse: true }),
};
