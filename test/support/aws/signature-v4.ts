import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { AwsCredentials } from './account.ts';
import { AwsError } from './aws-error.ts';

export interface SignedRequest {
  readonly method: string;
  /** As the client sent it, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

export interface Signer {
  readonly region: string;
  readonly service: string;
  /** `x-amz-content-sha256`: a hash, `UNSIGNED-PAYLOAD` or a `STREAMING-…` mode. */
  readonly payload: string;
}

interface Claim extends Signer {
  readonly accessKeyId: string;
  readonly day: string;
  readonly date: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const algorithm = 'AWS4-HMAC-SHA256';
const longestExpirySeconds = 604_800;
const allowedSkewMs = 15 * 60_000;

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest();

const encode = (text: string): string =>
  encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );

const parseDate = (text: string): number => {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  if (!match)
    throw new AwsError(403, 'AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
};

const claimOf = (
  credential: string,
  rest: { date: string; signedHeaders: string; signature: string; payload: string },
): Claim => {
  const [accessKeyId = '', day = '', region = '', service = '', end = ''] = credential.split('/');
  if (end !== 'aws4_request')
    throw new AwsError(400, 'AuthorizationHeaderMalformed', `The credential ${credential} is malformed.`);
  return { ...rest, accessKeyId, day, region, service, signedHeaders: rest.signedHeaders.split(';') };
};

const claimOfHeader = (authorization: string, headers: IncomingHttpHeaders): Claim => {
  const part = (name: string): string => new RegExp(`${name}=([^,\\s]+)`).exec(authorization)?.[1] ?? '';
  const date = String(headers['x-amz-date'] ?? '');
  if (!authorization.startsWith(algorithm))
    throw new AwsError(400, 'InvalidArgument', 'Unsupported Authorization Type');
  if (Math.abs(Date.now() - parseDate(date)) > allowedSkewMs)
    throw new AwsError(
      403,
      'RequestTimeTooSkewed',
      'The difference between the request time and ours is too large.',
    );
  return claimOf(part('Credential'), {
    date,
    signedHeaders: part('SignedHeaders'),
    signature: part('Signature'),
    payload: String(headers['x-amz-content-sha256'] ?? ''),
  });
};

const claimOfQuery = (query: URLSearchParams): Claim => {
  const value = (name: string): string => query.get(`X-Amz-${name}`) ?? '';
  const seconds = Number(value('Expires'));
  if (value('Algorithm') !== algorithm || !(seconds >= 1 && seconds <= longestExpirySeconds))
    throw new AwsError(
      400,
      'AuthorizationQueryParametersError',
      'X-Amz-Expires must be between 1 and 604800 seconds, and X-Amz-Algorithm AWS4-HMAC-SHA256',
    );
  if (Date.now() > parseDate(value('Date')) + seconds * 1000)
    throw new AwsError(403, 'AccessDenied', 'Request has expired');
  return claimOf(value('Credential'), {
    date: value('Date'),
    signedHeaders: value('SignedHeaders'),
    signature: value('Signature'),
    payload: value('Content-Sha256') || 'UNSIGNED-PAYLOAD',
  });
};

const canonicalQuery = (query: URLSearchParams): string =>
  [...query]
    .filter(([name]) => name !== 'X-Amz-Signature')
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&');

/** S3 signs the path as it is sent; all other services sign it encoded a second time. */
const canonicalPath = (path: string, service: string): string =>
  service === 's3' ? path : path.split('/').map(encode).join('/');

const expectedSignature = (
  claim: Claim,
  request: SignedRequest,
  body: Buffer | null,
  secret: string,
): string => {
  const { date, day, region, service, signedHeaders } = claim;
  const headers = signedHeaders.map(
    (name) =>
      `${name}:${String(request.headers[name] ?? '')
        .trim()
        .replace(/ +/g, ' ')}\n`,
  );
  // S3 compares its payload with what the header promised when it has read it; the others are asked with short bodies.
  const payload =
    service === 's3'
      ? claim.payload
      : createHash('sha256')
          .update(body ?? '')
          .digest('hex');
  const canonical = [
    request.method,
    canonicalPath(request.path, service),
    canonicalQuery(request.query),
    headers.join(''),
    signedHeaders.join(';'),
    payload,
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = [algorithm, date, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(hmac, `AWS4${secret}`);
  return hmac(key, text).toString('hex');
};

const isSame = (one: string, other: string): boolean =>
  one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));

/**
 * Checks a signature of version 4, in the header or in a presigned query; null where nobody signed. `body` is needed for services other
 * than S3. Throws `AwsError` for an unknown key, a wrong signature, an expired URL or a clock that is off.
 * Source: "Signing AWS API requests" in the IAM user guide.
 */
export const verifySignature = (
  request: SignedRequest,
  credentials: AwsCredentials,
  body: Buffer | null = null,
): Signer | null => {
  const { authorization } = request.headers;
  const isPresigned = request.query.has('X-Amz-Signature');
  if (!isPresigned && authorization === undefined) return null;
  const claim = isPresigned
    ? claimOfQuery(request.query)
    : claimOfHeader(authorization ?? '', request.headers);
  if (claim.accessKeyId !== credentials.accessKeyId)
    throw new AwsError(
      403,
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
    );
  if (!isSame(expectedSignature(claim, request, body, credentials.secretAccessKey), claim.signature))
    throw new AwsError(
      403,
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    );
  return claim;
};
