import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type ExecutionEnvironment,
  type Outcome,
  type ProcessCommand,
  startEnvironment,
} from './execution-environment.ts';
import type { LambdaFault } from './faults.ts';
import { arnOf, type LambdaFunction } from './lambda-function.ts';
import type { InvocationKind, LambdaStatistics } from './statistics.ts';

export interface InvokerOptions {
  readonly command: ProcessCommand;
  /** For the functions, beside what Lambda sets itself: endpoints, keys. */
  readonly environment: Readonly<Record<string, string>>;
  readonly statistics: LambdaStatistics;
  /** The account's; read at each invocation. */
  readonly limits: { concurrency: number };
  readonly onLine: (line: string) => void;
}

export interface InvokeOptions {
  readonly type: string | null;
  readonly kind: InvocationKind;
  readonly payload: string;
  readonly onChunk?: (chunk: Buffer) => void;
  readonly fault?: LambdaFault | undefined;
}

export interface Invoker {
  hasRoom(): boolean;
  /** Takes a place at once; never rejects. */
  invoke(lambda: LambdaFunction, options: InvokeOptions): Promise<Outcome>;
  /** Waits for a place first, as an asynchronous invocation does on AWS. */
  invokeLater(lambda: LambdaFunction, options: InvokeOptions): void;
  stop(): Promise<void>;
}

const variablesOf = (lambda: LambdaFunction): Record<string, string> => ({
  PATH: '/usr/local/bin:/usr/bin:/bin',
  LANG: 'en_US.UTF-8',
  TZ: ':UTC',
  AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
  AWS_LAMBDA_FUNCTION_NAME: lambda.name,
  AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(lambda.memoryMb),
  AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${lambda.name}`,
  AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
  AWS_REGION: lambda.region,
  AWS_DEFAULT_REGION: lambda.region,
  _HANDLER: 'index.handler',
});

interface Home {
  readonly environment: ExecutionEnvironment;
  readonly lambda: LambdaFunction;
}

/** Gives each invocation a process: a warm one of its function, else a new one. */
export const createInvoker = ({
  command,
  environment,
  statistics,
  limits,
  onLine,
}: InvokerOptions): Invoker => {
  const homes = new Set<Home>();
  const waiting: (() => void)[] = [];
  let isStopped = false;

  const hasRoom = (): boolean => statistics.active < limits.concurrency;

  const findHome = (lambda: LambdaFunction): Home & { readonly isCold: boolean } => {
    for (const home of homes)
      if (home.lambda === lambda && home.environment.isIdle()) return { ...home, isCold: false };
    const home = {
      lambda,
      environment: startEnvironment(command, { ...variablesOf(lambda), ...environment }, onLine),
    };
    homes.add(home);
    statistics.coldStarts += 1;
    return { ...home, isCold: true };
  };

  const letNextIn = (): void => {
    if (!isStopped && hasRoom()) waiting.shift()?.();
  };

  const invoke = async (lambda: LambdaFunction, options: InvokeOptions): Promise<Outcome> => {
    const { type, kind, payload, fault } = options;
    statistics.active += 1;
    statistics.peakConcurrency = Math.max(statistics.peakConcurrency, statistics.active);
    if (fault && 'delayMs' in fault) await sleep(fault.delayMs);
    if (isStopped) return { error: 'ServiceException', details: '{}' };
    const { environment: home, isCold } = findHome(lambda);
    const begun = performance.now();
    const killing =
      fault && 'killAfterMs' in fault ? setTimeout(() => void home.kill(), fault.killAfterMs) : null;
    const outcome = await home.invoke({
      requestId: randomUUID(),
      payload,
      functionArn: arnOf(lambda),
      timeoutSeconds: lambda.timeoutSeconds,
      onChunk: options.onChunk ?? (() => undefined),
    });
    if (killing) clearTimeout(killing);
    statistics.active -= 1;
    const ms = performance.now() - begun;
    statistics.invocations.push({ type, kind, ms, isCold, environmentId: home.id, error: outcome.error });
    letNextIn();
    return outcome;
  };

  return {
    hasRoom,
    invoke,
    invokeLater: (lambda, options) => {
      waiting.push(() => void invoke(lambda, options));
      letNextIn();
    },
    stop: async () => {
      isStopped = true;
      await Promise.all([...homes].map((home) => home.environment.kill()));
    },
  };
};
