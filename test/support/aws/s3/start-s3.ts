import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AwsCredentials, testCredentials } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import { type LocalServer, serveLocally } from '../local-server.ts';
import { verifySignature } from '../signature-v4.ts';
import { writeXml } from '../xml.ts';
import { type S3Fault, takeFault } from './faults.ts';
import { readBody } from './read-body.ts';
import { parseRequest, type S3Request, type S3Response } from './request.ts';
import { route } from './route.ts';
import { type Bucket, type Buckets, createBucket } from './store.ts';

export interface S3Record {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: string;
  /** 0 where the connection was cut instead. */
  readonly status: number;
  /** Of the error, else null. */
  readonly code: string | null;
}

export interface S3Emulator {
  /** `http://127.0.0.1:PORT`: an address in numbers, so that the SDK addresses buckets by path of its own accord. */
  readonly url: string;
  readonly credentials: AwsCredentials;
  /** By name; to look into, and to change behind the client's back. */
  readonly buckets: Buckets;
  /** As the SDK would create it: nothing public. Default region: us-east-1. */
  createBucket(name: string, region?: string): Bucket;
  /** One more listener, whose root is this bucket; stands in for `https://<bucket>.s3.<region>.amazonaws.com`. Without a slash at its end. */
  serveBucketAtRoot(name: string): Promise<string>;
  /** Push to it; what has happened is taken out. */
  readonly faults: S3Fault[];
  /** All that was asked, oldest first. */
  readonly requests: S3Record[];
  stop(): Promise<void>;
}

const errorResponse = (error: AwsError, request: S3Request): S3Response => ({
  status: error.status,
  headers: { 'content-type': 'application/xml' },
  body: writeXml('Error', {
    Code: error.code,
    Message: error.message,
    ...(request.key ? { Key: request.key } : { BucketName: request.bucket }),
    RequestId: 'emulator',
    HostId: 'emulator',
  }),
});

const toAwsError = (error: unknown): AwsError => {
  if (error instanceof AwsError) return error;
  console.error('The S3 emulator failed:', error);
  return new AwsError(500, 'InternalError', String(error));
};

const send = (
  answer: S3Response,
  request: IncomingMessage,
  response: ServerResponse,
  cutAfterBytes?: number,
): void => {
  const body = Buffer.from(answer.body ?? '');
  const hasLength = answer.status !== 204 && answer.status !== 304;
  response.writeHead(answer.status, {
    'x-amz-request-id': randomUUID(),
    ...(hasLength ? { 'content-length': body.length } : {}),
    ...answer.headers,
  });
  if (cutAfterBytes === undefined) response.end(request.method === 'HEAD' ? undefined : body);
  else response.write(body.subarray(0, cutAfterBytes), () => request.socket.destroy());
};

/**
 * An S3 on 127.0.0.1 that keeps everything in memory and is as strict as the real one: signatures, digests, conditions, region, public access.
 * An operation or a sub-resource that it does not know is answered 501, never ignored.
 */
export const startS3 = async (): Promise<S3Emulator> => {
  const credentials = testCredentials;
  const buckets: Buckets = new Map();
  const faults: S3Fault[] = [];
  const requests: S3Record[] = [];

  const respond = async (parsed: S3Request, path: string, request: IncomingMessage): Promise<S3Response> => {
    const signer = verifySignature({ ...parsed, path }, credentials);
    const content = await readBody(request, signer);
    return route(buckets, { ...parsed, signer, ...content });
  };

  const answer = async (root: string, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // Not by `new URL`, which folds the dots in `a/../b`: that is a key of its own.
    const [path = '/', query = ''] = (request.url ?? '/').split('?');
    const parsed = parseRequest(
      request.method ?? '',
      `${root}${path}`,
      new URLSearchParams(query),
      request.headers,
    );
    const record = (status: number, code: string | null): void => {
      const { method, bucket, key, query } = parsed;
      requests.push({ method, bucket, key, query: query.toString(), status, code });
    };
    const fault = takeFault(faults, parsed);
    if (fault && 'reset' in fault) {
      record(0, null);
      request.socket.destroy();
      return;
    }
    if (fault && 'delayMs' in fault) await sleep(fault.delayMs);
    try {
      if (fault && 'code' in fault)
        throw new AwsError(fault.status, fault.code, 'A fault that a test asked for.');
      const result = await respond(parsed, path, request);
      record(result.status, null);
      send(result, request, response, fault && 'cutAfterBytes' in fault ? fault.cutAfterBytes : undefined);
    } catch (error) {
      const refusal = toAwsError(error);
      record(refusal.status, refusal.code);
      send(errorResponse(refusal, parsed), request, response);
    }
  };

  const servers: LocalServer[] = [];
  const serve = async (root: string): Promise<string> => {
    const server = await serveLocally((request, response) => answer(root, request, response));
    servers.push(server);
    return server.url;
  };

  return {
    url: await serve(''),
    credentials,
    buckets,
    faults,
    requests,
    createBucket: (name, region = 'us-east-1') => {
      const bucket = createBucket(name, region);
      buckets.set(name, bucket);
      return bucket;
    },
    serveBucketAtRoot: (name) => serve(`/${name}`),
    stop: async () => {
      await Promise.all(servers.splice(0).map((server) => server.close()));
    },
  };
};
