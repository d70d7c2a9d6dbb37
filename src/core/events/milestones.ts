/** Once ever per user; a table of its own holds that, not the log. */
import { z } from 'zod';
import { defineEvent } from './define-event.ts';
import { exportFacts, timestamp } from './properties.ts';

export const milestoneEvents = {
  first_render_completed: defineEvent({
    family: 'milestones',
    schemaVersion: 1,
    description: "The user's first successful render, once ever; video_rendered is recorded besides it.",
    retention: 'business',
    sources: ['worker', 'server'],
    ownedByService: true,
    aliases: ['first_render'],
    properties: z.object({ compositionId: z.string(), format: z.string(), timestamp, ...exportFacts }),
  }),
};
