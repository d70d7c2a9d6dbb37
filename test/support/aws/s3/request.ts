import type { IncomingHttpHeaders } from 'node:http';
import type { Signer } from '../signature-v4.ts';

export interface S3Request {
  readonly method: string;
  /** Empty for the list of buckets. */
  readonly bucket: string;
  /** Decoded; empty for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
}

/** A request whose signature was found good (or absent: `signer` is null) and whose body was read and checked. */
export interface CheckedRequest extends S3Request {
  readonly signer: Signer | null;
  readonly body: Buffer;
  /** Those that came with the body: `crc32` → base64. */
  readonly checksums: Readonly<Record<string, string>>;
}

export interface S3Response {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export const header = (request: S3Request, name: string): string | undefined => {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(',') : value;
};

export const parseRequest = (
  method: string,
  path: string,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
): S3Request => {
  const [, bucket = '', ...key] = path.split('/');
  return { method, bucket, key: decodeURIComponent(key.join('/')), query, headers };
};
