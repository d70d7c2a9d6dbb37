/** From the form to the first credits: did they get to where value begins? Source: the event catalog document, section 2 B. */
import { z } from 'zod';
import { defineEvent, defineFamily } from './define-event.ts';
import { attributionFacts, count, flag, seconds, text } from './properties.ts';

const email = text.describe('Kept until its person is erased; Meta gets it only as a hash');
const method = text.describe('Such as email, magic_link, otp, google');

const signup = defineFamily(
  { family: 'activation', retention: 'behaviour', sources: ['web', 'server'] },
  { ...attributionFacts, method, email, plan: text },
);

const activation = defineFamily({ family: 'activation', retention: 'business', sources: ['server'] }, {});

/** Of the mail with the link or the code to log in with. */
const mail = defineFamily(
  { family: 'activation', retention: 'behaviour', sources: ['server'] },
  { method, email_provider: text.describe('Who sends it, such as resend') },
);

const grant = {
  credits_before: z.number().optional(),
  credits_after: z.number().optional(),
  reason: text,
};

export const activationEvents = {
  signup_start: signup(
    'Someone began to sign up.',
    {},
    { aliases: ['signup_started'], sinks: { meta: { event: 'Lead' } } },
  ),
  signup_submit: signup('The form to sign up was submitted.', {}, { aliases: ['signup_submitted'] }),
  signup_completed: signup('An account was made.', {}, { retention: 'business' }),
  auth_email_sent: mail('A link or a code to log in with was sent.', {}),
  auth_email_delivered: mail('The mail to log in with was delivered, where its provider tells.', {}),
  auth_email_opened: mail('The mail to log in with was opened; many opens are never seen.', {}),
  auth_email_link_clicked: mail(
    'The link in the mail to log in with was clicked.',
    {},
    { sources: ['web', 'server'] },
  ),
  login_success: activation(
    'Someone logged in. What the visitor did before belongs to the user from now on.',
    { method, email, seconds_since_first_landing: seconds.optional() },
    {
      aliases: ['user_login_succeeded'],
      countsUse: true,
      stage: 'Act',
      // A registration is completed once; later log-ins are none.
      sinks: { meta: { event: 'CompleteRegistration', firstOnly: true } },
    },
  ),
  credits_granted: defineEvent({
    family: 'activation',
    schemaVersion: 1,
    description: 'A user was given credits.',
    retention: 'business',
    sources: ['server'],
    stage: 'Act',
    properties: z.object({ credits_added: z.number().optional(), ...grant }),
    emitted: z.object({ credits_added: count, ...grant }),
  }),
  onboarding_view: signup(
    'The first page after the log-in was viewed: congratulations, instructions.',
    {},
    { aliases: ['onboarding_viewed'] },
  ),
  onboarding_completed: activation(
    'What has to be set up before the product can be used has been set up.',
    {
      checklist_completed: flag,
      team_size: count.optional(),
      seconds_since_first_landing: seconds.optional(),
    },
    { countsUse: true },
  ),
  activation_complete: activation(
    'Concluded once per user: login_success, credits_granted and upload_view have all happened.',
    {},
    { aliases: ['activation_completed'], ownedByService: true, stage: 'Act', northStar: 'Activated' },
  ),
};
