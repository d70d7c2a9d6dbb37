import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type AwsCredentials, testCredentials } from '../account.ts';
import { AwsError } from '../aws-error.ts';
import { serveLocally } from '../local-server.ts';
import { collect } from '../s3/read-body.ts';
import { verifySignature } from '../signature-v4.ts';
import { accountServices, tokenService } from './account-services.ts';
import { controlPlane, findFunction, type JsonAnswer } from './control-plane.ts';
import type { ProcessCommand } from './execution-environment.ts';
import type { LambdaFault } from './faults.ts';
import { createInvoker } from './invoker.ts';
import { createFunction, type LambdaFunction, type LambdaFunctions } from './lambda-function.ts';
import { serveInvocation } from './serve-invocation.ts';
import { createStatistics, type LambdaStatistics } from './statistics.ts';

export interface LambdaOptions {
  /** How a process that serves invocations is started. */
  readonly command: ProcessCommand;
  /** For the functions: where S3 is, and the keys. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The account's limit. Default: 1000. */
  readonly concurrency?: number;
}

export interface LambdaEmulator {
  /** `http://127.0.0.1:PORT`; Lambda, STS, CloudWatch Logs and Service Quotas are all there. */
  readonly url: string;
  readonly credentials: AwsCredentials;
  /** By name. Add with `addFunction`, or let `deployFunction` do it. */
  readonly functions: LambdaFunctions;
  addFunction(
    definition: Pick<LambdaFunction, 'name' | 'region' | 'memoryMb' | 'diskMb' | 'timeoutSeconds'>,
  ): LambdaFunction;
  /** Push to it; what has happened is taken out. */
  readonly faults: LambdaFault[];
  /** May be changed while it runs. */
  readonly limits: { concurrency: number };
  readonly statistics: LambdaStatistics;
  /** With the days that they are kept, null for ever. */
  readonly logGroups: ReadonlyMap<string, number | null>;
  /** What the functions printed, `[environment] line`. */
  readonly logs: string[];
  /** Kills what runs, and resolves when all of its processes are gone. */
  stop(): Promise<void>;
}

interface Target {
  readonly name: string;
  readonly isStream: boolean;
}

const invocationOf = (method: string, path: string): Target | null => {
  const match =
    /^\/2015-03-31\/functions\/([^/]+)\/invocations$|^\/2021-11-15\/functions\/([^/]+)\/response-streaming-invocations$/.exec(
      path,
    );
  if (!match || method !== 'POST') return null;
  return { name: match[1] ?? match[2] ?? '', isStream: match[2] !== undefined };
};

const sendJson = (response: ServerResponse, { status, body }: JsonAnswer, errorType?: string): void => {
  response.writeHead(status, {
    'content-type': 'application/json',
    'x-amzn-requestid': randomUUID(),
    ...(errorType ? { 'x-amzn-errortype': errorType } : {}),
  });
  response.end(body === undefined ? undefined : JSON.stringify(body));
};

const sendError = (response: ServerResponse, error: unknown): void => {
  if (!(error instanceof AwsError)) console.error('The Lambda emulator failed:', error);
  const { status, code, message } =
    error instanceof AwsError ? error : new AwsError(500, 'ServiceException', String(error));
  if (response.headersSent) response.destroy();
  else sendJson(response, { status, body: { __type: code, Type: 'User', message, Message: message } }, code);
};

/**
 * AWS Lambda on 127.0.0.1, with what its clients need around it. Handlers run in real processes, one invocation at a time each, which stay
 * warm; functions that a client creates run the same handler as all others. Signatures, payload sizes and limits are those of AWS.
 */
export const startLambda = async (options: LambdaOptions): Promise<LambdaEmulator> => {
  const credentials = testCredentials;
  const functions: LambdaFunctions = new Map();
  const faults: LambdaFault[] = [];
  const limits = { concurrency: options.concurrency ?? 1000 };
  const statistics = createStatistics();
  const logGroups = new Map<string, number | null>();
  const logs: string[] = [];

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '/', query = ''] = (request.url ?? '/').split('?');
    const { method = '', headers } = request;
    const body = await collect(request);
    const parameters = new URLSearchParams(query);
    const signer = verifySignature({ method, path, query: parameters, headers }, credentials, body);
    if (!signer)
      throw new AwsError(403, 'MissingAuthenticationTokenException', 'Missing Authentication Token');
    const { region } = signer;
    const invocation = invocationOf(method, decodeURIComponent(path));
    const target = headers['x-amz-target'];
    if (invocation) {
      const lambda = findFunction(functions, invocation.name, region);
      await serveInvocation(
        { invoker, faults, statistics },
        lambda,
        request,
        body,
        invocation.isStream,
        response,
      );
    } else if (signer.service === 'sts') {
      response.writeHead(200, { 'content-type': 'text/xml' }).end(tokenService(body));
    } else if (target !== undefined) {
      sendJson(response, accountServices({ limits, logGroups }, String(target), body));
    } else {
      const control = { method, path: decodeURIComponent(path), query: parameters, body, region };
      sendJson(response, controlPlane(functions, control));
    }
  };

  const server = await serveLocally(async (request, response) => {
    try {
      await answer(request, response);
    } catch (error) {
      sendError(response, error);
    }
  });
  const invoker = createInvoker({
    command: options.command,
    environment: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      // A service that has no endpoint of its own below is asked here, and never outside.
      AWS_ENDPOINT_URL: server.url,
      ...options.environment,
    },
    statistics,
    limits,
    onLine: (line) => logs.push(line),
  });

  return {
    url: server.url,
    credentials,
    functions,
    addFunction: (definition) => {
      const lambda = createFunction(definition);
      functions.set(lambda.name, lambda);
      return lambda;
    },
    faults,
    limits,
    statistics,
    logGroups,
    logs,
    stop: async () => {
      await Promise.all([server.close(), invoker.stop()]);
    },
  };
};
