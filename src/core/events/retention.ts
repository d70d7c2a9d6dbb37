/** Who comes back, and what for. Source: the event catalog document, section 2 E, and TRACK-006. */
import { z } from 'zod';
import { defineEvent, defineFamily } from './define-event.ts';
import { text } from './properties.ts';

const habit = defineFamily(
  { family: 'retention', retention: 'behaviour', sources: ['web', 'server'] },
  { page_path: text },
);

/** What nobody says: it follows from what others did. */
const concluded = defineFamily({ family: 'retention', retention: 'behaviour', sources: ['server'] }, {});

const credits = { credits_left: z.number().optional() };

export const retentionEvents = {
  return_session: concluded(
    'Concluded: someone acts again after hours away.',
    { hours_since_last: z.number().min(0).describe('Hours since the last act') },
    { ownedByService: true, stage: 'Ret' },
  ),
  upload_returning_user: concluded(
    'Concluded: the first upload of a session that is a return.',
    {},
    { ownedByService: true },
  ),
  job_completed_returning_user: concluded(
    "Concluded: a job was completed while its user's session is a return.",
    { job_id: z.string() },
    { ownedByService: true, stage: 'Ret', retention: 'business' },
  ),
  return_visit: habit("A visitor came back, by the sender's own measure of being away.", {}),
  feature_discovery: habit(
    'Someone used a feature for the first time.',
    { feature: z.string() },
    {
      aliases: ['feature_discovered'],
    },
  ),
  low_credits_warning_shown: habit('The warning that credits are running low was shown.', credits),
  low_credits_topup_clicked: habit('From that warning, the way to more credits was taken.', credits, {
    aliases: ['topup_clicked'],
  }),
  notification_sent: defineEvent({
    family: 'retention',
    schemaVersion: 1,
    description: 'Someone was told that a job is done: by our webhook, or by a mail of the sender.',
    retention: 'behaviour',
    sources: ['server', 'worker'],
    properties: z.object({
      channel: z.enum(['webhook', 'email', 'push', 'sms', 'in_app']).optional(),
      notified_event: text.describe('Name of the event that it tells of'),
      notified_event_id: text,
      sink_id: text.describe('Which webhook'),
      job_id: text,
    }),
    emitted: z.object({
      channel: z.literal('webhook'),
      notified_event: z.string(),
      notified_event_id: z.string(),
      sink_id: z.string(),
      job_id: z.string().optional(),
    }),
  }),
  notification_clicked: habit('A notification was clicked.', {
    channel: text,
    job_id: text,
  }),
};
