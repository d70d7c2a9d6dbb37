/** AWS' refusals, recognised by name and text, as errors of ours that say what to do. */
import { RendermillError } from '../../core/errors.ts';

interface AwsFailure {
  /** The error's name, for AWS its code. */
  readonly name: string;
  readonly text: string;
  readonly region: string;
}

interface Rule {
  readonly matches: (failure: AwsFailure) => boolean;
  readonly code: 'invalid_configuration' | 'lambda_misconfigured' | 'lambda_throttled' | 'lambda_unavailable';
  readonly message: (failure: AwsFailure) => string;
}

const named =
  (...names: readonly string[]) =>
  ({ name }: AwsFailure): boolean =>
    names.includes(name);

const says =
  (pattern: RegExp) =>
  ({ text }: AwsFailure): boolean =>
    pattern.test(text);

/** What may not be done, in the words in which AWS names it. */
const refusedAction = (text: string): string => /perform: ([\w:*-]+)/.exec(text)?.[1] ?? '';

/** The first that matches. */
const rules: readonly Rule[] = [
  {
    matches: (failure) =>
      named('CredentialsProviderError')(failure) ||
      says(/have not set the environment variable|could not load credentials/i)(failure),
    code: 'invalid_configuration',
    message: () =>
      'No AWS credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE; on a machine whose role gives them, REMOTION_SKIP_AWS_CREDENTIALS_CHECK=1.',
  },
  {
    matches: named('ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired'),
    code: 'invalid_configuration',
    message: () => 'The AWS credentials have expired. Sign in again, and set the new ones.',
  },
  {
    matches: named(
      'InvalidClientTokenId',
      'UnrecognizedClientException',
      'InvalidAccessKeyId',
      'SignatureDoesNotMatch',
      'InvalidSignatureException',
      'InvalidToken',
    ),
    code: 'invalid_configuration',
    message: ({ name }) =>
      `AWS does not accept the credentials (${name}). AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for temporary ones, AWS_SESSION_TOKEN must be of one key.`,
  },
  {
    matches: says(/role defined for the function cannot be assumed|role .*(not exist|cannot be found)/i),
    code: 'lambda_misconfigured',
    message: () =>
      'There is no role remotion-lambda-role that Lambda may take on. Make it in IAM for the service lambda.amazonaws.com, with the policy that rendermill lambda deploy --print-policies shows; a new one is known everywhere after some seconds.',
  },
  {
    matches: says(/Public policies are blocked|BlockPublicPolicy/i),
    code: 'lambda_misconfigured',
    message: () =>
      'The AWS account blocks every public bucket policy, and the browser of the function must be able to load sites/. Allow public policies in the account (S3, Block Public Access settings for this account); this bucket opens sites/ only.',
  },
  {
    matches: named('AccessDenied', 'AccessDeniedException', 'Forbidden', '403'),
    code: 'lambda_misconfigured',
    message: ({ text }) =>
      `These AWS credentials may not do that${refusedAction(text) === '' ? '' : ` (${refusedAction(text)})`}. rendermill lambda deploy --print-policies shows which permissions are needed.`,
  },
  {
    matches: says(/less than or equal to 3008/),
    code: 'lambda_misconfigured',
    message: () =>
      'This AWS account allows functions of at most 3008 MB: choose --memory 3008 or less, or ask AWS for more.',
  },
  {
    matches: named('BucketAlreadyExists'),
    code: 'lambda_misconfigured',
    message: () =>
      'Another AWS account has a bucket of this name, and names are unique everywhere: choose another one with --bucket.',
  },
  {
    matches: named(
      'PermanentRedirect',
      'AuthorizationHeaderMalformed',
      'IllegalLocationConstraintException',
      'IllegalLocationConstraint',
    ),
    code: 'lambda_misconfigured',
    message: ({ region }) =>
      `The bucket does not lie in ${region}. The function, its bucket and LAMBDA_REGION must have one region.`,
  },
  {
    matches: named('NoSuchBucket'),
    code: 'lambda_misconfigured',
    message: () => 'There is no such bucket. rendermill lambda deploy makes it; or correct LAMBDA_BUCKET.',
  },
  {
    matches: named('ResourceNotFoundException'),
    code: 'lambda_misconfigured',
    message: ({ region }) =>
      `There is no such function in ${region}. rendermill lambda deploy makes it; or correct LAMBDA_FUNCTION and LAMBDA_REGION.`,
  },
  {
    matches: named('BucketNotEmpty'),
    code: 'lambda_misconfigured',
    message: () =>
      'The bucket is not empty: something still writes to it, or it keeps old versions. Stop the workers, remove those versions, and try again.',
  },
  {
    matches: named('TooManyRequestsException', 'ThrottlingException', 'SlowDown'),
    code: 'lambda_throttled',
    message: () => 'AWS asks to come more slowly. Try again in a minute.',
  },
  {
    matches: (failure) =>
      named('TimeoutError')(failure) ||
      says(/ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|socket hang up/)(failure),
    code: 'lambda_unavailable',
    message: ({ region }) => `AWS cannot be reached in ${region}. Look at the network, and try again.`,
  },
];

const maxText = 300;

/** Several addresses of one host give one error without a text of its own. */
const textOf = (error: Error): string =>
  error instanceof AggregateError && error.errors[0] instanceof Error
    ? error.errors[0].message
    : error.message;

export const toSetupError = (thrown: unknown, region: string): RendermillError => {
  if (thrown instanceof RendermillError) return thrown;
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = (error as NodeJS.ErrnoException).code ?? '';
  const failure = { name: error.name, text: `${code} ${textOf(error)}`, region };
  const rule = rules.find(({ matches }) => matches(failure));
  return new RendermillError(rule?.code ?? 'lambda_misconfigured', {
    message: rule?.message(failure) ?? `AWS refused: ${error.name}: ${textOf(error).slice(0, maxText)}`,
    cause: thrown,
  });
};

/** Runs it, and throws only errors of ours. */
export const atAws = async <T>(region: string, task: () => Promise<T>): Promise<T> => {
  try {
    return await task();
  } catch (error) {
    throw toSetupError(error, region);
  }
};
