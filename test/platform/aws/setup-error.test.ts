import { expect, it } from 'vitest';
import { RendermillError } from '../../../src/core/errors.ts';
import { atAws, toSetupError } from '../../../src/platform/aws/setup-error.ts';

const named = (name: string, message: string, more: object = {}) =>
  Object.assign(new Error(message), { name, ...more });

it.each([
  [
    'no credentials, as Remotion says it',
    new Error(
      'You have tried to call a Remotion Lambda function, but have not set the environment variable AWS_ACCESS_KEY_ID or REMOTION_AWS_ACCESS_KEY_ID.',
    ),
    'invalid_configuration',
    /Set AWS_ACCESS_KEY_ID/,
  ],
  [
    'no credentials, as AWS says it',
    named('CredentialsProviderError', 'Could not load credentials from any providers'),
    'invalid_configuration',
    /Set AWS_ACCESS_KEY_ID/,
  ],
  [
    'old credentials',
    named('ExpiredTokenException', 'The security token included in the request is expired'),
    'invalid_configuration',
    /have expired/,
  ],
  [
    'a wrong key',
    named('InvalidClientTokenId', 'The security token included in the request is invalid.'),
    'invalid_configuration',
    /does not accept the credentials \(InvalidClientTokenId\)/,
  ],
  [
    'a wrong secret',
    named('SignatureDoesNotMatch', 'The request signature we calculated does not match'),
    'invalid_configuration',
    /SignatureDoesNotMatch/,
  ],
  [
    'no role',
    named('InvalidParameterValueException', 'The role defined for the function cannot be assumed by Lambda.'),
    'lambda_misconfigured',
    /no role remotion-lambda-role/,
  ],
  [
    'a permission that is missing',
    named(
      'AccessDeniedException',
      'User: arn:aws:iam::1:user/x is not authorized to perform: lambda:CreateFunction on resource: arn:aws:lambda:us-east-1:1:function:y',
    ),
    'lambda_misconfigured',
    /may not do that \(lambda:CreateFunction\).*--print-policies/,
  ],
  [
    'an account that opens no bucket',
    named(
      'AccessDenied',
      'User is not authorized to perform: s3:PutBucketPolicy because public policies are blocked by the BlockPublicPolicy block public access setting.',
    ),
    'lambda_misconfigured',
    /account blocks every public bucket policy/,
  ],
  [
    'too much memory',
    named(
      'ValidationException',
      "Value '4096' at 'memorySize' failed to satisfy constraint: Member must have value less than or equal to 3008",
    ),
    'lambda_misconfigured',
    /--memory 3008/,
  ],
  [
    'a name that is taken',
    named('BucketAlreadyExists', 'The requested bucket name is not available.'),
    'lambda_misconfigured',
    /another one with --bucket/,
  ],
  [
    'a wrong region',
    named('PermanentRedirect', 'must be addressed using the specified endpoint'),
    'lambda_misconfigured',
    /does not lie in us-east-1/,
  ],
  [
    'no bucket',
    named('NoSuchBucket', 'The specified bucket does not exist'),
    'lambda_misconfigured',
    /LAMBDA_BUCKET/,
  ],
  [
    'no function',
    named('ResourceNotFoundException', 'Function not found'),
    'lambda_misconfigured',
    /LAMBDA_FUNCTION/,
  ],
  ['too much haste', named('TooManyRequestsException', 'Rate Exceeded.'), 'lambda_throttled', /more slowly/],
  [
    'no network',
    new AggregateError([named('Error', 'connect ECONNREFUSED 127.0.0.1:9')], ''),
    'lambda_unavailable',
    /cannot be reached/,
  ],
  [
    'no name',
    named('Error', 'getaddrinfo ENOTFOUND s3.us-east-1.amazonaws.com', { code: 'ENOTFOUND' }),
    'lambda_unavailable',
    /cannot be reached/,
  ],
  [
    'something new',
    named('ServiceException', `Internal ${'x'.repeat(1000)}`),
    'lambda_misconfigured',
    /^AWS refused: ServiceException: Internal x{291}$/,
  ],
  ['no error at all', 'out of order', 'lambda_misconfigured', /out of order/],
])('knows %s, and says what to do', (_what, thrown, code, message) => {
  const error = toSetupError(thrown, 'us-east-1');
  expect(error).toMatchObject({ code, cause: thrown });
  expect(error.message).toMatch(message);
});

it('leaves errors of ours as they are, and values too', async () => {
  const ours = new RendermillError('not_found');
  await expect(atAws('us-east-1', () => Promise.reject(ours))).rejects.toBe(ours);
  expect(await atAws('us-east-1', async () => 7)).toBe(7);
});
