import { describe, expect, it } from 'vitest';
import {
  classifyLambdaError,
  isSiteGone,
} from '../../../../../src/platform/renderer/lambda/errors/classify-lambda-error.ts';
import {
  failureAmong,
  failureOf,
  type ProgressError,
} from '../../../../../src/platform/renderer/lambda/errors/failure.ts';

const siteAddress = 'https://renders.s3.us-east-1.amazonaws.com/sites/aac070ca/';
const functionName = 'remotion-render-4-0-527-mem2048mb-disk2048mb-120sec';
const logs = 'See https://us-east-1.console.aws.amazon.com/cloudwatch to see the logs of this invocation.';

const classify = (error: unknown) => classifyLambdaError(failureOf(error), { siteAddress });

/** As the SDK makes it of an answer. */
const answerOf = (name: string, message: string, httpStatusCode = 400): Error =>
  Object.assign(new Error(message), { name, $fault: 'client', $metadata: { httpStatusCode } });

const system = (code: string, message: string): Error => Object.assign(new Error(message), { code });

/** As a function sends it: the stack is the message. */
const sent = (text: string, frames = '/var/task/index.js'): Error =>
  new Error(`${text}\n    at somewhere (${frames}:1:2)`);

const streamed = (code: string, details: string): Error =>
  new Error(`Lambda function ${functionName} failed with error code ${code}: ${details}. ${logs}`);

describe('what AWS answers becomes a code', () => {
  it.each<[string, Error, string, boolean]>([
    ['throttled', answerOf('TooManyRequestsException', 'Rate Exceeded.', 429), 'lambda_throttled', true],
    ['throttled S3', answerOf('ThrottlingException', 'Rate exceeded', 429), 'lambda_throttled', true],
    [
      'throttled still',
      new Error(
        'AWS Concurrency limit reached (Original Error: Rate Exceeded.). See https://www.remotion.dev/docs/lambda/troubleshooting/rate-limit for tips to fix this.',
      ),
      'lambda_throttled',
      true,
    ],
    [
      'no function',
      answerOf('ResourceNotFoundException', `Function not found: arn:aws:lambda:us-east-1:1:function:x`, 404),
      'lambda_misconfigured',
      false,
    ],
    [
      'no bucket',
      answerOf('NoSuchBucket', 'The specified bucket does not exist', 404),
      'lambda_misconfigured',
      false,
    ],
    [
      'no right',
      answerOf(
        'AccessDeniedException',
        'User: arn:aws:iam::1:user/x is not authorized to perform: lambda:InvokeFunction',
        403,
      ),
      'lambda_misconfigured',
      false,
    ],
    ['no right to read', answerOf('AccessDenied', 'Access Denied', 403), 'lambda_misconfigured', false],
    [
      'wrong key',
      answerOf('UnrecognizedClientException', 'The security token included is invalid', 403),
      'lambda_misconfigured',
      false,
    ],
    [
      'no key',
      Object.assign(new Error('Could not load credentials from any providers'), {
        name: 'CredentialsProviderError',
      }),
      'lambda_misconfigured',
      false,
    ],
    ['down', answerOf('ServiceException', 'Service failed', 500), 'lambda_unavailable', true],
    ['busy S3', answerOf('SlowDown', 'Please reduce your request rate.', 503), 'lambda_unavailable', true],
    ['unreachable', system('ECONNREFUSED', 'connect ECONNREFUSED 1.2.3.4:443'), 'lambda_unavailable', true],
    [
      'not resolved',
      system('ENOTFOUND', 'getaddrinfo ENOTFOUND lambda.us-east-1.amazonaws.com'),
      'lambda_unavailable',
      true,
    ],
    ['cut', system('ECONNRESET', 'socket hang up'), 'lambda_unavailable', true],
    ['cut early', system('ERR_STREAM_PREMATURE_CLOSE', 'Premature close'), 'lambda_unavailable', true],
    ['killed', streamed('Runtime.ExitError', 'RequestId: 1 Error: signal: killed'), 'function_killed', true],
    [
      'out of memory',
      streamed('Runtime.OutOfMemory', 'RequestId: 1 Error: Runtime exited'),
      'function_killed',
      true,
    ],
    [
      'killed, told briefly',
      new Error('Lambda function returned error: Unhandled undefined'),
      'function_killed',
      true,
    ],
    [
      'timed out',
      streamed('Sandbox.Timedout', 'RequestId: 1 Error: Task timed out after 16.00 seconds'),
      'render_timeout',
      false,
    ],
    ['cut short', streamed('Runtime.TruncatedResponse', 'x'), 'lambda_unavailable', true],
  ])('%s', (_, given, code, retryable) => {
    const error = classify(given);
    expect([error.code, error.retryable]).toEqual([code, retryable]);
    expect(error.message).not.toMatch(/arn:|remotion-render|Exception|amazonaws/);
    expect(error.cause).toMatchObject({ message: given.message });
  });
});

describe('what Remotion says on AWS becomes a code', () => {
  it.each<[string, string, string]>([
    [
      'another version',
      `Error: Version mismatch: When calling renderMediaOnLambda(), you passed ${functionName} as the function, which has the version 4.0.500, but the @remotion/lambda package you used to invoke the function has version 4.0.527. Deploy a new function and use it to call getRenderProgress().`,
      'lambda_misconfigured',
    ],
    [
      'too many functions',
      'Error: Too many functions: This render would cause 300 functions to spawn. We limit this amount to 200 functions as more would result in diminishing returns.',
      'lambda_misconfigured',
    ],
    ['too many asked', "TypeError: 'concurrency' cannot exceed 200, passed 300", 'lambda_misconfigured'],
    [
      'too few frames',
      'TypeError: The framesPerLambda needs to be at least 5, but is 2',
      'lambda_misconfigured',
    ],
    [
      'an output of that name',
      `TypeError: Output file "outputs/x.mp4" in bucket "renders" in region "us-east-1" already exists. Delete it before re-rendering, or set the 'overwrite' option in renderMediaOnLambda() to overwrite it."`,
      'lambda_misconfigured',
    ],
    [
      'too short a life',
      "TypeError: 'timeoutInMilliseconds' should be bigger or equal than 7000, but is 5000",
      'lambda_misconfigured',
    ],
    [
      'a site that is not there',
      `Error: Error while getting compositions: Tried to go to ${siteAddress}index.html but the status code was 404 instead of 200. Does the site you specified exist?`,
      'lambda_misconfigured',
    ],
    [
      'the end of the launch function',
      'The main function timed out after 120000ms.\nThe following chunks are missing (showing 1 out of 1):',
      'render_timeout',
    ],
    [
      'no such composition',
      'Error: Could not find composition with ID nope. Available compositions: a, b',
      'composition_not_found',
    ],
    [
      'a frame too far',
      'RangeError: Cannot use frame 30: Duration of composition is 30, therefore the highest frame that can be rendered is 29',
      'frame_out_of_range',
    ],
    ['a cancel', 'Error: renderMedia() got cancelled', 'render_canceled'],
    ['a lost browser', 'Error: Target closed.', 'browser_lost'],
    ['a full disk', 'Error: ENOSPC: no space left on device, write', 'disk_full'],
    ['a cut line inside', 'Error: socket hang up', 'lambda_unavailable'],
    ['anything else', 'Error: something new', 'render_failed'],
  ])('%s', (_, text, code) => {
    expect(classify(sent(text)).code).toBe(code);
  });
});

describe('what a page throws', () => {
  const pageStack = `${siteAddress}bundle.js`;

  it('is told to its developer, without the address of the site', () => {
    const error = classifyLambdaError(
      failureOf(sent('TypeError: The price of frame 5 is missing', pageStack)),
      { siteAddress, thrownAt: './failures.tsx:10' },
    );
    expect([error.code, error.message]).toEqual([
      'composition_error',
      'The composition threw an error: TypeError: The price of frame 5 is missing (at ./failures.tsx:10)',
    ]);
    const asset = classify(
      sent(`Error: Error loading image with src: ${siteAddress}public/logo.png`, pageStack),
    );
    expect([asset.code, asset.details]).toEqual(['asset_missing', { src: 'public/logo.png' }]);
  });

  it('is told with its delayRender()', () => {
    const text =
      'Error: A delayRender() "loading the price list" was called but not cleared after 5000ms. See https://remotion.dev/docs/timeout';
    expect(classify(sent(text, pageStack)).code).toBe('delay_render_timeout');
  });

  it.each([
    'TooManyRequestsException: Rate Exceeded.',
    'Error: Version mismatch: When calling nothing',
    'Error: The main function timed out after 1ms.',
    'Error: Too many functions: This render would cause 300 functions',
  ])('is never taken for an answer of AWS or for the set-up (%s)', (text) => {
    expect(classify(sent(text, pageStack)).code).toBe('composition_error');
  });
});

describe('of many errors', () => {
  const entry = (changes: Partial<ProgressError>): ProgressError => ({
    type: 'renderer',
    name: 'Error',
    message: 'said',
    stack: 'Error: said\n    at x',
    isFatal: true,
    willRetry: false,
    ...changes,
  });

  it('the one of the function that failed is told, not that of its collector or of those that were told to stop', () => {
    const chosen = failureAmong([
      entry({ type: 'webhook', message: 'no webhook' }),
      entry({ message: 'tried again', willRetry: true }),
      entry({ message: 'renderMedia() got cancelled' }),
      entry({ message: 'The price is missing', isFatal: false, name: 'TypeError' }),
      entry({ type: 'stitcher', message: 'TypeError: as it was collected\n    at x' }),
    ]);
    expect([chosen.name, chosen.message]).toEqual(['TypeError', 'The price is missing']);
  });

  it.each([
    [
      'Error: AWS Concurrency limit reached (Original Error: Rate Exceeded.). See https://www.remotion.dev/docs for tips to fix this.\n    at callLambda (x:1:2)',
      'lambda_throttled',
    ],
    [
      `Error: Lambda function ${functionName} failed with error code Runtime.ExitError: {"errorType":"Runtime.ExitError"}. ${logs}\n    at callLambda (x:1:2)`,
      'function_killed',
    ],
    [
      `Error: Lambda function ${functionName} failed with error code Sandbox.Timedout: {"errorMessage":"Task timed out after 16.00 seconds"}. ${logs}\n    at x (y:1:2)`,
      'render_timeout',
    ],
  ])('the collector knows what AWS did to a function (%#)', (message, code) => {
    const failure = failureAmong([entry({ type: 'stitcher', message, stack: message })]);
    expect(classifyLambdaError(failure, { siteAddress }).code).toBe(code);
  });

  it('none is a failure that nobody knows', () => {
    expect(classifyLambdaError(failureAmong([]), { siteAddress }).code).toBe('render_failed');
  });
});

describe('a site', () => {
  it('is gone when the function cannot open it', () => {
    const text =
      'Error: Error while getting compositions: Tried to go to x and verify that it is a Remotion project';
    expect(isSiteGone(failureOf(sent(text)))).toBe(true);
    expect(isSiteGone(failureOf(sent('Error: another')))).toBe(false);
  });
});

describe('a page that poses as AWS', () => {
  const text =
    'Error: AWS Concurrency limit reached (Original Error: TooManyRequestsException: Rate Exceeded.)';
  const stack = `${text}\n    at Card (https://renders.s3.us-east-1.amazonaws.com/sites/abc/bundle.js:1:2)`;
  const entry = { name: 'Error', isFatal: true, willRetry: false };

  it('is taken for the page that it is, in a still, in what measures a video, and in what collects failures', () => {
    expect(failureOf(new Error(stack)).source).toBe('function');
    expect(failureOf(new Error(`Lambda function returned error: ${stack}`)).source).toBe('function');
    expect(failureAmong([{ ...entry, type: 'stitcher', message: text, stack }]).source).toBe('function');
    expect(failureAmong([{ ...entry, type: 'stitcher', message: stack, stack: '' }]).source).toBe('function');
  });

  it('while AWS itself is told by what the client writes', () => {
    expect(failureOf(new Error(text)).source).toBe('aws');
    const node = `${text}\n    at callFunction (/var/task/index.js:1:2)`;
    expect(failureAmong([{ ...entry, type: 'stitcher', message: text, stack: node }]).source).toBe('aws');
  });
});
