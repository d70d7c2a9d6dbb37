/**
 * The configuration: read once from the environment, everything wrong said at once, then frozen. An empty variable counts as not
 * set. `variables` is also what the README's table is held against.
 */
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';

const positive = (fallback: number) => z.coerce.number().int().min(1).default(fallback);
const flag = z
  .enum(['true', 'false'])
  .default('false')
  .transform((text) => text === 'true');
const limit = (fallback: number) => z.coerce.number().int().min(0).default(fallback);
/** Sides of the address that proxies know by name. */
const networks: readonly string[] = ['loopback', 'linklocal', 'uniquelocal'];
const isProxy = (text: string): boolean =>
  networks.includes(text) ||
  // Of a number alone it would make an address.
  (/[.:]/.test(text) && (ipaddr.isValid(text) || ipaddr.isValidCIDR(text)));
/** False: none; a number: so many, the nearest first; a list: those at these addresses. */
const proxies = z
  .string()
  .default('false')
  .transform((text, context): false | number | string[] => {
    if (text === 'false') return false;
    if (text === 'true') return 1;
    if (/^[1-9]$/.test(text)) return Number(text);
    const addresses = text.split(',').map((one) => one.trim());
    if (addresses.every(isProxy)) return addresses;
    const message =
      'must be true (one proxy), false, how many proxies there are (1 to 9), or their addresses and ranges, comma-separated (10.0.0.0/8, loopback)';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
const list = z
  .string()
  .default('')
  .transform((text) =>
    text
      .split(',')
      .map((one) => one.trim())
      .filter(Boolean),
  );

const keyBytes = 32;
const secretsKey = z
  .string()
  .refine(
    (text) => /^[A-Za-z0-9+/]+=*$/.test(text) && Buffer.from(text, 'base64').length === keyBytes,
    `must be ${keyBytes} bytes in base64; openssl rand -base64 ${keyBytes} makes them`,
  );

/** A render keeps about one core and a half busy, browser and encoder together. */
const defaultConcurrency = Math.max(1, Math.floor(availableParallelism() / 2));

const variables = {
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/ })
    .optional()
    .describe('Postgres 15 or later; absent: a private one that `up` starts'),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/ })
    .optional()
    .describe('Redis, Valkey or Dragonfly for the queue; absent: the queue lives in Postgres'),
  RENDERMILL_HOME: z
    .string()
    .default('.rendermill')
    .describe('Folder of the embedded database, files, bundles and temporary work'),
  STORAGE_DIRECTORY: z
    .string()
    .optional()
    .describe('Folder of finished files and bundles, shared by API and workers; absent: in RENDERMILL_HOME'),
  S3_BUCKET: z
    .string()
    .optional()
    .describe('Bucket of finished files and bundles, instead of a folder; any S3-compatible store'),
  S3_PREFIX: z
    .string()
    .regex(/^([a-z0-9][a-z0-9._-]*\/)*$/, 'must be a path that ends in a slash')
    .default('')
    .describe('Begins every key in S3_BUCKET'),
  S3_REGION: z.string().default('us-east-1').describe('Region of S3_BUCKET'),
  S3_ENDPOINT: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Address of an S3-compatible store other than AWS'),
  S3_FORCE_PATH_STYLE: flag.describe(
    'true: the bucket goes into the path, as many S3-compatible stores want it',
  ),
  S3_ACCESS_KEY_ID: z
    .string()
    .optional()
    .describe("Key of S3_BUCKET; absent: as AWS's own tools find one (AWS_ACCESS_KEY_ID, profile, role)"),
  S3_SECRET_ACCESS_KEY: z.string().optional().describe('Secret of S3_ACCESS_KEY_ID'),
  DOWNLOAD_REDIRECT: flag.describe(
    'true: downloads are redirected to a signed URL of S3_BUCKET, which spares this process the bytes and gives up download_completed',
  ),
  RENDER_MODE: z
    .enum(['local', 'lambda'])
    .default('local')
    .describe(
      'Where renders run that do not say it themselves: on the workers, or on AWS Lambda (docs/lambda.md)',
    ),
  RENDER_FALLBACK: z
    .enum(['wait', 'local'])
    .default('wait')
    .describe(
      'What becomes of a Lambda render while Lambda has no room, and after UNSERVED_TIMEOUT_SECONDS without a worker for it: it waits (or fails), or the workers render it. The same for API and workers',
    ),
  LAMBDA_REGION: z
    .string()
    .default('us-east-1')
    .describe('AWS region of the function, its bucket and its sites'),
  LAMBDA_FUNCTION: z
    .string()
    .optional()
    .describe(
      'Name of the deployed function; set, renders may ask for the mode lambda, as far as their organization may',
    ),
  LAMBDA_BUCKET: z.string().optional().describe('Bucket of the function, for its sites, progress and output'),
  LAMBDA_SITE_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Where functions reach the root of LAMBDA_BUCKET; absent: at AWS itself'),
  LAMBDA_SLOTS: positive(1000).describe(
    'Functions that may run at once in the AWS account and region, those of others left out',
  ),
  LAMBDA_RENDERS: positive(100).describe('Lambda renders that one worker watches at once'),
  LAMBDA_WEBHOOK_SECRET: z
    .string()
    .min(16)
    .optional()
    .describe(
      'With PUBLIC_URL: Lambda tells the end of a render at once, signed with this, and polling is only for what that misses',
    ),
  ENVIRONMENT: z
    .string()
    .regex(/^[a-z0-9-]{1,32}$/)
    .default('development')
    .describe('Written into every event: development, production …'),
  HOST: z.string().default('127.0.0.1').describe('Address on which the API listens'),
  PORT: z.coerce.number().int().min(0).max(65_535).default(3000).describe('Port of the API; 0: any free one'),
  PUBLIC_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('How browsers reach the API; signed links begin with it'),
  TRUST_PROXY: proxies.describe(
    'Whose X-Forwarded-For is believed: true behind one proxy of your own, how many there are, or their addresses (10.0.0.0/8, loopback); anybody may send that header',
  ),
  RATE_LIMIT_SECRET_PER_MINUTE: limit(6_000).describe(
    'Requests a minute of one secret or admin key, then 429; 0: no limit',
  ),
  RATE_LIMIT_PUBLISHABLE_PER_MINUTE: limit(6_000).describe(
    'Requests a minute of one publishable key, from all browsers; 0: no limit',
  ),
  RATE_LIMIT_ADDRESS_PER_MINUTE: limit(300).describe(
    'Requests a minute from one client address without a valid key, and as many with each publishable key; of IPv6 a /64, and its /48 ten times as many; 0: no limit',
  ),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('What goes to the log on stderr; `up` takes warn unless it is set'),
  BROWSER_EXECUTABLE: z
    .string()
    .optional()
    .describe('The browser itself, not a script around it; absent: one is looked for'),
  WORKER_CONCURRENCY: positive(defaultConcurrency).describe(
    'Renders at once in one worker; default: half the cores',
  ),
  ALLOWED_HOSTS: list.describe(
    'Hosts that compositions may load from, comma-separated: cdn.example.com, *.example.com, * for any public one; empty: none',
  ),
  STILL_TIMEOUT_SECONDS: positive(120).describe('Wall-clock limit of one still, seconds'),
  VIDEO_TIMEOUT_SECONDS: positive(1800).describe('Wall-clock limit of one video, seconds'),
  STALL_TIMEOUT_SECONDS: positive(60).describe('A render without progress for this long is ended, seconds'),
  DELAY_RENDER_TIMEOUT_SECONDS: z.coerce
    .number()
    .int()
    .min(7)
    .default(30)
    .describe('How long a delayRender() may stay open, seconds; Remotion takes no less than 7'),
  MEMORY_LIMIT_MB: positive(2048).describe(
    'Memory of one render with its browser, MB (proportional set size)',
  ),
  RECYCLE_BROWSER_AFTER: positive(100).describe('Renders after which a browser is replaced'),
  MIN_FREE_DISK_MB: positive(512).describe('Below this a worker takes no new work, MB'),
  MIN_FREE_MEMORY_MB: positive(256).describe('Below this a worker takes no new work, MB'),
  CHUNK_AFTER_SECONDS: positive(20).describe(
    'Videos longer than this are cut into chunks for all idle workers, seconds of footage',
  ),
  MAX_WAITING_RENDERS: positive(100_000).describe(
    'With so many exports waiting, new ones are refused with 503 until the workers have caught up',
  ),
  UNSERVED_TIMEOUT_SECONDS: z.coerce
    .number()
    .int()
    .min(0)
    .refine((seconds) => seconds === 0 || seconds >= 60, 'must be 0, or at least 60')
    .default(86_400)
    .describe(
      'How long exports wait for a mode that no live worker serves, seconds; then they fail with render_mode_unserved, or, of Lambda, go to the workers (RENDER_FALLBACK); 0: for ever. The same for API and workers',
    ),
  BUNDLE_CACHE_DAYS: z.coerce
    .number()
    .int()
    .min(0)
    .default(14)
    .describe(
      'A worker removes the unpacked bundles that nobody has rendered from for so many days (storage keeps them); 0: never',
    ),
  SHUTDOWN_SECONDS: positive(30).describe(
    'How long running renders may go on after SIGTERM before they go back to the queue, seconds',
  ),
  POSTHOG_PROJECT_API_KEY: z
    .string()
    .optional()
    .describe('Project key of PostHog; set, every event that its person allows goes there'),
  POSTHOG_API_KEY: z.string().optional().describe('Older name of POSTHOG_PROJECT_API_KEY, which wins'),
  POSTHOG_HOST: z
    .url({ protocol: /^https?$/ })
    .default('https://us.i.posthog.com')
    .describe('Where PostHog takes events'),
  POSTHOG_DISTINCT_IDS: z
    .enum(['namespaced', 'raw'])
    .default('namespaced')
    .describe(
      'How people are called at PostHog: organization/id, so that no two organizations share one, or the id alone',
    ),
  POSTHOG_PERSONAL_API_KEY: z
    .string()
    .optional()
    .describe('Personal key of PostHog, with which a deleted account is deleted there, too'),
  POSTHOG_PROJECT_ID: z.string().optional().describe('Project in which POSTHOG_PERSONAL_API_KEY deletes'),
  POSTHOG_APP_HOST: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('Private API of PostHog, for deletions; absent: POSTHOG_HOST without its .i'),
  DOMAIN_EVENT_WEBHOOK_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe('An endpoint of your own that gets every event of every organization, signed; may be private'),
  DOMAIN_EVENT_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,}={0,2}$/, 'must be whsec_ and at least 24 bytes in base64')
    .optional()
    .describe('Signs what DOMAIN_EVENT_WEBHOOK_URL gets; absent: one is made, which `webhooks` shows'),
  WEBHOOK_ALLOW_PRIVATE_ADDRESSES: flag.describe(
    'true where endpoints of organizations may lie in private networks: for development only',
  ),
  WEBHOOK_DISABLE_AFTER_DAYS: z.coerce
    .number()
    .min(0)
    .max(365)
    .default(5)
    .describe(
      "An organization's endpoint that has accepted nothing for so many days is disabled, and what waits stays; 0: never",
    ),
  SECRETS_KEY: secretsKey
    .optional()
    .describe(
      'Encrypts the secrets of webhooks in the database: 32 bytes in base64 (openssl rand -base64 32), the same for every process; absent: they lie there as they are',
    ),
  SECRETS_KEY_OLD: secretsKey
    .optional()
    .describe('The key before SECRETS_KEY, until `webhooks encrypt-secrets` has run'),
  META_PIXEL_ID: z.string().regex(/^\d+$/).optional().describe("Pixel of Meta's Conversions API"),
  META_ACCESS_TOKEN: z.string().optional().describe('With META_PIXEL_ID: conversions go to Meta'),
  META_API_VERSION: z
    .string()
    .regex(/^v\d+\.\d+$/)
    .default('v25.0')
    .describe('Version of the Graph API'),
  META_HOST: z
    .url({ protocol: /^https?$/ })
    .default('https://graph.facebook.com')
    .describe('Where Meta takes conversions'),
  META_TEST_EVENT_CODE: z
    .string()
    .optional()
    .describe("Marks conversions as tests, which Meta's Events Manager shows"),
  EVENT_CONSOLE: flag.describe('true: the dispatcher prints every event to stdout, a JSON object per line'),
  EVENT_FILE: z
    .string()
    .optional()
    .describe('File to which the dispatcher appends every event, a JSON object per line'),
  DISPATCHER_LEASE_SECONDS: z.coerce
    .number()
    .int()
    .min(20)
    .default(30)
    .describe('Deliveries of a dispatcher that died wait for this long, seconds'),
  QUEUE_LOCK_MS: positive(10_000).describe('A job whose worker is silent for this long is taken over, ms'),
} as const;

const schema = z.object(variables);
export type ConfigVariable = keyof typeof variables;

export interface Config extends Readonly<z.infer<typeof schema>> {
  /** Absolute folders. */
  readonly home: string;
  readonly storageDirectory: string;
}

export interface VariableDescription {
  readonly name: ConfigVariable;
  readonly description: string;
  /** Empty where there is none, or where it depends on the machine. */
  readonly fallback: string;
}

const dependsOnMachine: ReadonlySet<string> = new Set(['WORKER_CONCURRENCY']);

export const describeVariables = (): readonly VariableDescription[] =>
  (Object.keys(variables) as ConfigVariable[]).map((name) => {
    const value = dependsOnMachine.has(name) ? undefined : schema.shape[name].safeParse(undefined).data;
    return {
      name,
      description: schema.shape[name].description ?? '',
      fallback: value === undefined ? '' : String(value),
    };
  });

/** Throws `invalid_configuration` with every variable that is wrong. */
export const loadConfig = (environment: Readonly<Record<string, string | undefined>>): Config => {
  const given = Object.fromEntries(
    Object.keys(variables)
      .map((name) => [name, environment[name]?.trim()])
      .filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = schema.safeParse(given);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  if (parsed.data && parsed.data.STALL_TIMEOUT_SECONDS <= parsed.data.DELAY_RENDER_TIMEOUT_SECONDS) {
    problems.push(
      'STALL_TIMEOUT_SECONDS: must be longer than DELAY_RENDER_TIMEOUT_SECONDS, which would never be heard of',
    );
  }
  if (given.SECRETS_KEY_OLD !== undefined && given.SECRETS_KEY === undefined) {
    problems.push(
      'SECRETS_KEY_OLD: stands beside SECRETS_KEY; where there is no newer key, that is SECRETS_KEY',
    );
  }
  if ((given.META_PIXEL_ID === undefined) !== (given.META_ACCESS_TOKEN === undefined)) {
    problems.push('META_PIXEL_ID, META_ACCESS_TOKEN: Meta needs both, or neither');
  }
  if ((given.POSTHOG_PERSONAL_API_KEY === undefined) !== (given.POSTHOG_PROJECT_ID === undefined)) {
    problems.push('POSTHOG_PERSONAL_API_KEY, POSTHOG_PROJECT_ID: deleting at PostHog needs both, or neither');
  }
  if ((given.LAMBDA_FUNCTION === undefined) !== (given.LAMBDA_BUCKET === undefined)) {
    problems.push(
      'LAMBDA_FUNCTION, LAMBDA_BUCKET: rendering on Lambda needs both, or neither (rendermill lambda deploy prints them)',
    );
  }
  if (given.RENDER_MODE === 'lambda' && given.LAMBDA_FUNCTION === undefined) {
    problems.push(
      'RENDER_MODE: lambda needs LAMBDA_FUNCTION and LAMBDA_BUCKET; run rendermill lambda deploy',
    );
  }
  if ((given.S3_ACCESS_KEY_ID === undefined) !== (given.S3_SECRET_ACCESS_KEY === undefined)) {
    problems.push('S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY: a key needs its secret, and a secret its key');
  }
  if (!parsed.success || problems.length > 0) {
    throw new RendermillError('invalid_configuration', {
      message: `The configuration is not valid:\n${problems.map((problem) => `  ${problem}`).join('\n')}`,
    });
  }
  const home = resolve(parsed.data.RENDERMILL_HOME);
  return Object.freeze({
    ...parsed.data,
    home,
    storageDirectory: resolve(parsed.data.STORAGE_DIRECTORY ?? join(home, 'storage')),
  });
};
