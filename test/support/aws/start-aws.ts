import { randomUUID } from 'node:crypto';
import { speculateFunctionName } from '@remotion/lambda-client';
import { findBrowser } from '../../../src/platform/renderer/browser/find-browser.ts';
import type { LambdaFunction } from './lambda/lambda-function.ts';
import { type LambdaEmulator, startLambda } from './lambda/start-lambda.ts';
import { type S3Emulator, startS3 } from './s3/start-s3.ts';
import { canSandbox } from './sandbox/can-sandbox.ts';
import { findProcesses } from './sandbox/find-processes.ts';
import { remotionFunctionCommand, type SandboxWay } from './sandbox/sandbox-command.ts';

export interface AwsOptions {
  /** Default: 2048. */
  readonly memoryMb?: number;
  /** Default: 120. */
  readonly timeoutSeconds?: number;
  /** The account's limit of functions that run at once. Default: 1000. */
  readonly concurrency?: number;
  /** Default: the conventional one of Remotion, which tells version, memory, disk and time-out. */
  readonly functionName?: string;
  /** Default: us-east-1. */
  readonly region?: string;
  /** Default: the first that works here. */
  readonly way?: SandboxWay;
}

export interface AwsEmulator {
  readonly region: string;
  /** Of the function that is there from the start. */
  readonly functionName: string;
  readonly lambdaFunction: LambdaFunction;
  readonly s3: S3Emulator;
  readonly lambda: LambdaEmulator;
  /** What a client needs: keys, region, all endpoints. To be given to a process, or assigned to `process.env` before the first call. */
  readonly environment: Readonly<Record<string, string>>;
  /** In the environment of every process of a function; see `findProcesses`. */
  readonly marker: string;
  /** Throws when a process of a function outlives it. */
  stop(): Promise<void>;
}

const diskMb = 2048;

const expectNoProcesses = async (marker: string): Promise<void> => {
  // A killed process is gone a moment after its parent.
  const deadline = Date.now() + 10_000;
  let left = await findProcesses(marker);
  while (left.length > 0 && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    left = await findProcesses(marker);
  }
  if (left.length > 0) throw new Error(`Processes of functions are left:\n${left.join('\n')}`);
};

const chooseWay = async (): Promise<SandboxWay> => {
  const answer = await canSandbox();
  if (answer.allowed) return answer.way;
  throw new Error(
    `No sandbox may be made here, and unprotected the function would empty /tmp: ${answer.reason}`,
  );
};

/**
 * S3 and Lambda on 127.0.0.1, with Remotion's own function, unmodified, in sandboxed processes with a real browser. Throws where no
 * sandbox may be made (ask `canSandbox()`, or use `describeSandboxed`). Start one per process: Remotion's clients keep their endpoints.
 */
export const startAws = async (options: AwsOptions = {}): Promise<AwsEmulator> => {
  const { memoryMb = 2048, timeoutSeconds = 120, region = 'us-east-1' } = options;
  const way = options.way ?? (await chooseWay());
  const { path: browserExecutable } = await findBrowser();
  const marker = `rendermill-sandbox-${randomUUID()}`;
  const s3 = await startS3();
  const lambda = await startLambda({
    command: remotionFunctionCommand(way, browserExecutable, marker),
    environment: { AWS_ENDPOINT_URL_S3: s3.url },
    concurrency: options.concurrency ?? 1000,
  });
  const name =
    options.functionName ??
    speculateFunctionName({
      memorySizeInMb: memoryMb,
      diskSizeInMb: diskMb,
      timeoutInSeconds: timeoutSeconds,
    });
  const lambdaFunction = lambda.addFunction({ name, region, memoryMb, diskMb, timeoutSeconds });
  return {
    region,
    functionName: name,
    lambdaFunction,
    s3,
    lambda,
    environment: {
      AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
      AWS_REGION: region,
      AWS_ENDPOINT_URL: lambda.url,
      AWS_ENDPOINT_URL_S3: s3.url,
      AWS_ENDPOINT_URL_LAMBDA: lambda.url,
      AWS_ENDPOINT_URL_STS: lambda.url,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: lambda.url,
      AWS_ENDPOINT_URL_SERVICE_QUOTAS: lambda.url,
      AWS_EC2_METADATA_DISABLED: 'true',
      REMOTION_DISABLE_AWS_CLIENT_CACHE: '1',
    },
    marker,
    stop: async () => {
      await Promise.all([s3.stop(), lambda.stop()]);
      await expectNoProcesses(marker);
    },
  };
};
