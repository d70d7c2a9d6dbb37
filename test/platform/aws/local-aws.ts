/** AWS on this machine, for what prepares it and looks at it: S3 and the control plane of Lambda, without renders. */
import { request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { fileURLToPath } from 'node:url';
import { type LambdaEmulator, startLambda } from '../../support/aws/lambda/start-lambda.ts';
import { serveLocally } from '../../support/aws/local-server.ts';
import { type S3Emulator, startS3 } from '../../support/aws/s3/start-s3.ts';

/** What is answered instead of the emulator, from when it is pushed on. */
export interface Answer {
  readonly method: string;
  /** Of the address; for Service Quotas and the like, which have none, of the operation. */
  readonly path: RegExp;
  readonly status: number;
  /** Of the error. */
  readonly code?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface LocalAws {
  readonly s3: S3Emulator;
  readonly lambda: LambdaEmulator;
  readonly answers: Answer[];
  /** `GET /2015-03-31/functions/x`, oldest first. */
  readonly calls: string[];
  stop(): Promise<void>;
}

const support = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Sets the environment of this process, for the SDK reads no other; `stop` puts it back. */
export const startLocalAws = async (): Promise<LocalAws> => {
  const s3 = await startS3();
  const lambda = await startLambda({
    command: {
      program: process.execPath,
      args: [support('../../support/aws/lambda/bootstrap.mjs')],
      environment: { HANDLER_FILE: support('./answer-version.mjs') },
    },
  });
  const answers: Answer[] = [];
  const calls: string[] = [];
  const front = await serveLocally(async (request, response) => {
    const call = `${request.method} ${request.headers['x-amz-target'] ?? request.url}`;
    calls.push(call);
    const scripted = answers.find(
      ({ method, path }) => method === request.method && path.test(call.slice(method.length + 1)),
    );
    if (scripted) answer(scripted, request, response);
    else passOn(lambda.url, request, response);
  });
  const before = { ...process.env };
  Object.assign(process.env, {
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    AWS_ENDPOINT_URL: front.url,
    AWS_ENDPOINT_URL_S3: s3.url,
    AWS_EC2_METADATA_DISABLED: 'true',
    REMOTION_DISABLE_AWS_CLIENT_CACHE: '1',
  });
  return {
    s3,
    lambda,
    answers,
    calls,
    stop: async () => {
      process.env = before;
      await Promise.all([front.close(), s3.stop(), lambda.stop()]);
    },
  };
};

const answer = ({ status, code, body }: Answer, request: IncomingMessage, response: ServerResponse): void => {
  request.resume();
  response
    .writeHead(status, {
      'content-type': 'application/json',
      ...(code === undefined ? {} : { 'x-amzn-errortype': code }),
    })
    .end(JSON.stringify(code === undefined ? body : { __type: code, ...body }));
};

/** With its host header, which is signed. */
const passOn = (url: string, request: IncomingMessage, response: ServerResponse): void => {
  const { method, url: path, headers } = request;
  const passed = forward(new URL(path ?? '/', url), { method: method ?? 'GET', headers }, (answered) => {
    response.writeHead(answered.statusCode ?? 502, answered.headers);
    answered.pipe(response);
  });
  passed.on('error', () => response.destroy());
  request.pipe(passed);
};
