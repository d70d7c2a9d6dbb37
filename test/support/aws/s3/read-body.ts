import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { crc32 } from 'node:zlib';
import { AwsError } from '../aws-error.ts';
import type { Signer } from '../signature-v4.ts';

const largestBodyBytes = 5 * 1024 ** 3;

const digests: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  crc32: (body) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(crc32(body));
    return bytes;
  },
  sha1: (body) => createHash('sha1').update(body).digest(),
  sha256: (body) => createHash('sha256').update(body).digest(),
};

export const collect = async (request: IncomingMessage): Promise<Buffer> => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    bytes += part.length;
    if (bytes > largestBodyBytes) throw new AwsError(400, 'EntityTooLarge');
    parts.push(part);
  }
  return Buffer.concat(parts);
};

const incomplete = (): AwsError =>
  new AwsError(400, 'IncompleteBody', 'The request body terminated unexpectedly');

/** `<hex length>[;extension]\r\n<bytes>\r\n … 0\r\n<trailer>: <value>\r\n\r\n` */
const decodeChunks = (encoded: Buffer): { body: Buffer; trailers: Record<string, string> } => {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = encoded.indexOf('\r\n', at);
    if (lineEnd < 0) throw incomplete();
    const length = Number.parseInt(encoded.toString('latin1', at, lineEnd), 16);
    at = lineEnd + 2;
    if (length === 0) break;
    if (!(at + length + 2 <= encoded.length)) throw incomplete();
    chunks.push(encoded.subarray(at, at + length));
    at += length + 2;
  }
  const lines = encoded.toString('latin1', at).split('\r\n').filter(Boolean);
  const trailers = lines.map((line): [string, string] => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return { body: Buffer.concat(chunks), trailers: Object.fromEntries(trailers) };
};

const checkChecksums = (body: Buffer, claimed: Readonly<Record<string, string>>): void => {
  for (const [algorithm, value] of Object.entries(claimed)) {
    const digest = digests[algorithm];
    if (!digest) throw new AwsError(501, 'NotImplemented', `The emulator cannot compute ${algorithm}.`);
    if (digest(body).toString('base64') !== value)
      throw new AwsError(
        400,
        'BadDigest',
        `The ${algorithm} you specified did not match the calculated checksum.`,
      );
  }
};

const checkMd5 = (body: Buffer, expected: string | undefined): void => {
  if (expected === undefined) return;
  if (Buffer.from(expected, 'base64').length !== 16)
    throw new AwsError(400, 'InvalidDigest', 'The Content-MD5 you specified was invalid.');
  if (createHash('md5').update(body).digest('base64') !== expected)
    throw new AwsError(400, 'BadDigest', 'The Content-MD5 you specified did not match what we received.');
};

const checksumsIn = (headers: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const algorithm = /^x-amz-checksum-(crc\w+|sha\w+)$/.exec(name)?.[1];
      return algorithm ? [[algorithm, String(value)]] : [];
    }),
  );

const checkTrailer = (headers: IncomingHttpHeaders, trailers: Readonly<Record<string, string>>): void => {
  const announced = headers['x-amz-trailer'];
  if (announced !== undefined && trailers[String(announced).toLowerCase()] === undefined)
    throw new AwsError(
      400,
      'MalformedTrailerError',
      `The trailer ${String(announced)} was announced and did not come.`,
    );
};

/**
 * The body as the object shall have it: without the framing of `aws-chunked`, checked against every digest that came with it — in a header, a
 * trailer, Content-MD5 or the signature. Throws `BadDigest`, `IncompleteBody`, `XAmzContentSHA256Mismatch`.
 */
export const readBody = async (
  request: IncomingMessage,
  signer: Signer | null,
): Promise<{ body: Buffer; checksums: Record<string, string> }> => {
  const { headers } = request;
  const sent = await collect(request);
  const isChunked = signer?.payload.startsWith('STREAMING-') ?? false;
  const { body, trailers } = isChunked ? decodeChunks(sent) : { body: sent, trailers: {} };
  checkTrailer(headers, trailers);
  const decodedLength = headers['x-amz-decoded-content-length'];
  if (isChunked && Number(decodedLength) !== body.length) throw incomplete();
  const isHash = signer !== null && /^[0-9a-f]{64}$/.test(signer.payload);
  if (isHash && createHash('sha256').update(body).digest('hex') !== signer.payload)
    throw new AwsError(
      400,
      'XAmzContentSHA256Mismatch',
      'The provided x-amz-content-sha256 does not match what was computed.',
    );
  checkMd5(body, headers['content-md5']?.toString());
  const checksums = { ...checksumsIn(headers), ...checksumsIn(trailers) };
  checkChecksums(body, checksums);
  return { body, checksums };
};
