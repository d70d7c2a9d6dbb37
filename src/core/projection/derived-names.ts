/** Every value that the projector adds to an event. Nothing else is derived, and where an event has a property of that name, the derived value stands. */

interface DerivedValue {
  readonly type: string;
  readonly description: string;
  /** The events that it is added to. */
  readonly on: string;
}

const counted = 'events whose uses are counted';
const jobs = 'job_created, processing_completed, processing_failed, video_rendered';

const names = {
  user_use_index: {
    type: 'integer',
    description: 'The how many-th time it is that the user did this; 1 is the first.',
    on: `${counted}, of a user`,
  },
  org_use_index: {
    type: 'integer',
    description:
      'The how many-th time it is in the whole organization, people who are not yet known included.',
    on: counted,
  },
  is_first_user_use: {
    type: 'boolean',
    description: 'user_use_index is 1.',
    on: `${counted}, of a user`,
  },
  is_second_user_use: {
    type: 'boolean',
    description: 'user_use_index is 2.',
    on: `${counted}, of a user`,
  },
  is_first_org_use: { type: 'boolean', description: 'org_use_index is 1.', on: counted },
  is_second_org_use: { type: 'boolean', description: 'org_use_index is 2.', on: counted },
  seconds_since_first_login: {
    type: 'integer',
    description: "Whole seconds since the user's first login_success; 0 for that one itself.",
    on: `${counted}, of a user who has logged in`,
  },
  is_first_login: {
    type: 'boolean',
    description: "It is the user's first login, once ever.",
    on: 'login_success of a user',
  },
  account_age_days: {
    type: 'integer',
    description: 'Whole days since the user was first seen here.',
    on: 'every event of a user whom we meter',
  },
  email_domain_type: {
    type: "'gmail' | 'work' | 'custom'",
    description:
      'gmail: of Gmail. custom: of another provider of mailboxes for everybody. work: every other domain.',
    on: 'every event with a property email that is an address',
  },
  consent_state: {
    type: '{ads_allowed?: boolean, analytics_allowed?: boolean}',
    description: 'What the person allowed at that moment; what it never spoke of is not there.',
    on: 'every event of a person who has said anything',
  },
  first_touch_channel: {
    type: 'string',
    description: 'The channel through which the person came first.',
    on: 'every event of a person whose first touch is known',
  },
  last_touch_channel: {
    type: 'string',
    description: 'The channel through which the person came last.',
    on: 'every event of a person whose last touch is known',
  },
  attribution: {
    type: '{first_touch?: object, last_touch?: object}',
    description:
      "UTM, click ids and ad ids of the person's first and last touch; what the server or a worker records inherits them from the user's visitor.",
    on: 'every event of a person of whom a touch is known',
  },
  video_duration_bucket: {
    type: "'0-10s' | '10-30s' | '30-60s' | '60s+'",
    description: 'Of duration_seconds; a bound belongs to the bucket above it.',
    on: jobs,
  },
  resolution_bucket: {
    type: "'720p' | '1080p' | '4k'",
    description:
      'By the shorter side in pixels: 4k from 2160, 1080p from 1080, 720p what is smaller. Of width and height, else of resolution.',
    on: jobs,
  },
  file_size_bucket: {
    type: "'0-5mb' | '5-50mb' | '50-150mb' | '150mb+'",
    description:
      'Of video_bytes, else sizeInBytes; a megabyte is 1,000,000 bytes, and a bound belongs to the bucket above it.',
    on: jobs,
  },
  retry_count: {
    type: 'integer',
    description: 'Attempts before this one: attempt less one. Left alone where the event has it already.',
    on: jobs,
  },
  failure_reason_code: {
    type: 'string | null',
    description: 'The error_code of what failed; null for what succeeded.',
    on: 'processing_failed, processing_completed',
  },
  return_within_24h: {
    type: 'boolean',
    description: 'Not more than 24 hours have passed since the person was last here.',
    on: 'return_session',
  },
  jobs_attempted_in_first_session: {
    type: 'integer',
    description:
      'Jobs that the person created before it first went away for 12 hours; while that session lasts, those until now.',
    on: 'job_created of a person',
  },
  repeat_upload_within_10min: {
    type: 'boolean',
    description: "The person's last upload began not more than 10 minutes before this one.",
    on: 'upload_started of a person',
  },
  time_to_first_cta_click: {
    type: 'number',
    description:
      'Seconds from when the person was first here to its first cta_click. Left alone where the event has it already.',
    on: 'the first cta_click of a person',
  },
} as const satisfies Record<string, DerivedValue>;

export type DerivedName = keyof typeof names;

/** Of one event. */
export type DerivedValues = Readonly<Partial<Record<DerivedName, unknown>>>;

export const derivedNames: Readonly<Record<string, DerivedValue>> = names;
