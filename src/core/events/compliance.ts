/** What a person allows, and what a person asks to be forgotten. Source: the event catalog document, section 2 G. */
import { defineFamily } from './define-event.ts';
import { flag, text } from './properties.ts';

const account = defineFamily(
  { family: 'compliance', retention: 'business', sources: ['server'] },
  { reason: text },
);

const consent = defineFamily({ family: 'compliance', retention: 'business', sources: ['web', 'server'] }, {});

export const complianceEvents = {
  cookie_consent_updated: consent('A person said what is allowed; what is absent stays as it was.', {
    ads_allowed: flag.describe('Whether advertisers may hear of it'),
    analytics_allowed: flag.describe('Whether product analytics may hear of it'),
  }),
  account_deletion_started: account('A user began to delete the account.', {}),
  account_deleted: account("An account was deleted: the person's events are erased or made nameless.", {}),
  data_export_requested: account('A person asked for what is known of it.', {}),
};
