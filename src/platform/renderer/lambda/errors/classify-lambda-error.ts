import { type ErrorCode, RendermillError } from '../../../../core/errors.ts';
import { classifyRenderError } from '../../local/child/classify-error.ts';
import { PageFailure } from '../../local/child/page-failure.ts';
import type { LambdaFailure } from './failure.ts';

export interface LambdaEvidence {
  /** Of the site's folder; taken out of what a tenant reads. */
  readonly siteAddress: string;
  /** Where in the tenant's sources the error was thrown. */
  readonly thrownAt?: string | null;
}

interface Rule {
  readonly code: ErrorCode;
  readonly pattern: RegExp;
  /** Public. Default: the catalog's. */
  readonly message?: string;
}

const misconfigured = (pattern: RegExp, message: string): Rule => ({
  code: 'lambda_misconfigured',
  pattern,
  message,
});

/** AWS's own answers: the name of the error, then its message. */
const awsRules: readonly Rule[] = [
  {
    code: 'lambda_throttled',
    pattern:
      /TooManyRequestsException|Rate Exceeded|ConcurrentInvocationLimitExceeded|AWS Concurrency limit reached|ThrottlingException|ReservedFunctionConcurrentInvocationLimitExceeded/i,
  },
  misconfigured(
    /ResourceNotFoundException|Function not found/,
    'The Lambda function does not exist in this region. Deploy it with: rendermill lambda deploy',
  ),
  misconfigured(
    /NoSuchBucket|PermanentRedirect|IllegalLocationConstraint/,
    'The bucket of the Lambda function does not exist in this region. Set it up with: rendermill lambda deploy',
  ),
  misconfigured(
    /Could not load credentials|CredentialsProviderError|No AWS credentials|UnrecognizedClientException|InvalidClientTokenId|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidSignatureException|ExpiredToken|AuthFailure/,
    'AWS does not accept the credentials of this worker. Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or its role.',
  ),
  misconfigured(
    /AccessDenied|not authorized to perform|Forbidden|AllAccessDisabled/,
    'AWS refuses this worker what a render needs. Compare its policy with: rendermill lambda deploy --print-policies',
  ),
  misconfigured(
    /KMS|ENILimitReached|InvalidRuntime|InvalidSubnet|InvalidSecurityGroup|EFSMount|SnapStart|InvalidZipFile|CodeStorage|RequestTooLarge/,
    'AWS cannot start the Lambda function as it is set up. Deploy it again with: rendermill lambda deploy',
  ),
];

/** AWS ended the function, and Remotion's client says how. */
const endingRules: readonly Rule[] = [
  {
    code: 'render_timeout',
    pattern: /Task timed out after|Sandbox\.Timedout/i,
    message: 'A Lambda function did not finish its part of the render within its time limit.',
  },
  { code: 'lambda_unavailable', pattern: /Runtime\.TruncatedResponse|AWS did not invoke Lambda in/ },
  { code: 'function_killed', pattern: /./s },
];

/** Remotion's words about the set-up, said inside of a function or by its client. */
const setupRules: readonly Rule[] = [
  misconfigured(
    /^Version mismatch: When calling/,
    'The Lambda function is of another Remotion version. Deploy one of this version with: rendermill lambda deploy',
  ),
  misconfigured(
    /^(?:Too many functions: This render would cause|'concurrency' (?:cannot exceed|needs to be)|The framesPerLambda needs to be)/,
    'The render was planned with more Lambda functions than Remotion permits.',
  ),
  misconfigured(
    /should be bigger or equal than 7000/,
    'The time limit of the Lambda function is too short for any render; at least 30 seconds are needed. Deploy one with: rendermill lambda deploy --timeout 240',
  ),
  misconfigured(
    /^Output file "[^"]+" in bucket .* already exists/,
    'An output of the same name lies in the bucket of the Lambda function.',
  ),
  misconfigured(
    /^The function name \S+ does not adhere to the function name convention/,
    'LAMBDA_FUNCTION is not named as Remotion names its functions. Deploy one with: rendermill lambda deploy',
  ),
  {
    code: 'render_timeout',
    pattern: /^The main function timed out after/,
    message: 'The Lambda function did not finish the render within its time limit.',
  },
  { code: 'lambda_unavailable', pattern: /^(?:AWS did not invoke Lambda in|Invalid JSON)/ },
];

const siteRule = misconfigured(
  /^(?:Error while getting compositions: Tried to go to|Incompatible site: When visiting)|ERR_NAME_NOT_RESOLVED|ERR_CONNECTION_REFUSED/,
  'The Lambda function cannot load the site of this project. Check that the policy of its bucket opens sites/: rendermill lambda deploy',
);

const frameRule = /^Cannot use frame (-?\d+): Duration of composition is (\d+),/;
const rangeRule = /but frame range \S+ is not inbetween|^Frame number is out of range/;

const network =
  /ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|ENOTFOUND|EAI_AGAIN|socket hang up|getaddrinfo|ERR_STREAM_PREMATURE_CLOSE|NetworkingError|TimeoutError|InternalError|InternalFailure|ServiceUnavailable|ServiceException|SlowDown|RequestTimeout/;

/** Of an answer without a body the SDK knows the status only. */
const bareStatus = /^(?:50\d|UnknownError|Unknown): /;

const ruled = (rules: readonly Rule[], text: string, cause: LambdaFailure): RendermillError | null => {
  const rule = rules.find(({ pattern }) => pattern.test(text));
  if (rule === undefined) return null;
  return new RendermillError(rule.code, { ...(rule.message ? { message: rule.message } : {}), cause });
};

/** The site is gone from the bucket, or a part of it. Asked before the failure is judged: uploaded again, all may be well. */
export const isSiteGone = ({ source, message }: LambdaFailure): boolean =>
  source === 'function' && /^Error while getting compositions: Tried to go to/.test(message);

const frameError = (message: string, cause: LambdaFailure): RendermillError | null => {
  const [, frame, frames] = frameRule.exec(message) ?? [];
  if (frame !== undefined) {
    const lastFrame = Number(frames) - 1;
    return new RendermillError('frame_out_of_range', {
      message: `Frame ${frame} lies outside the composition, which has the frames 0 to ${lastFrame}.`,
      details: { frame: Number(frame), firstFrame: 0, lastFrame },
      cause,
    });
  }
  return rangeRule.test(message) ? new RendermillError('frame_out_of_range', { cause }) : null;
};

/** The page's own errors carry the address of its bundle in the frames of their stack. */
const isOfPage = ({ stack }: LambdaFailure, { siteAddress }: LambdaEvidence): boolean =>
  stack.split('\n').some((line) => /^\s+at /.test(line) && line.includes(siteAddress));

const withoutAddress = (text: string, { siteAddress }: LambdaEvidence): string =>
  text.replaceAll(siteAddress, '').replaceAll(encodeURIComponent(siteAddress), '');

const asError = (failure: LambdaFailure, evidence: LambdaEvidence): Error => {
  const message = withoutAddress(failure.message, evidence);
  if (isOfPage(failure, evidence)) return new PageFailure({ ...failure, message });
  const error = new Error(message);
  error.stack = failure.stack;
  return error;
};

/**
 * Recognises, once and here, what AWS and Remotion on AWS can only tell in words. A page may throw whatever text it likes: what it says
 * is never taken for an answer of AWS.
 */
export const classifyLambdaError = (failure: LambdaFailure, evidence: LambdaEvidence): RendermillError => {
  const { source, name, message } = failure;
  if (source === 'aws') {
    return (
      ruled(awsRules, `${name}: ${message}`, failure) ??
      new RendermillError(
        network.test(`${name}: ${message}`) || bareStatus.test(`${name}: `)
          ? 'lambda_unavailable'
          : 'render_failed',
        { cause: failure },
      )
    );
  }
  if (source === 'ending') {
    return ruled(endingRules, message, failure) ?? new RendermillError('function_killed', { cause: failure });
  }
  const ofRemotion = isOfPage(failure, evidence) ? null : ruled([...setupRules, siteRule], message, failure);
  if (ofRemotion !== null) return ofRemotion;
  const said = classifyRenderError(asError(failure, evidence), { thrownAt: evidence.thrownAt ?? null });
  if (said.code !== 'render_failed') return said;
  return (
    frameError(message, failure) ??
    (network.test(message) ? new RendermillError('lambda_unavailable', { cause: failure }) : said)
  );
};
