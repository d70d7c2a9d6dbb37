import { randomUUID } from 'node:crypto';
import { accountId } from '../account.ts';

/** A function as it was created, and what was set on it since. */
export interface LambdaFunction {
  readonly name: string;
  readonly region: string;
  readonly memoryMb: number;
  readonly diskMb: number;
  /** May be changed by a test; holds for the next invocation. */
  timeoutSeconds: number;
  layers: readonly string[];
  lastModified: Date;
  runtimeVersionArn: string;
  maximumRetryAttempts: number;
  readonly tags: Map<string, string>;
  readonly revision: string;
}

export type LambdaFunctions = Map<string, LambdaFunction>;

export const createFunction = (
  definition: Pick<LambdaFunction, 'name' | 'region' | 'memoryMb' | 'diskMb' | 'timeoutSeconds'>,
): LambdaFunction => ({
  ...definition,
  layers: [],
  lastModified: new Date(),
  runtimeVersionArn: `arn:aws:lambda:${definition.region}::runtime:emulator`,
  maximumRetryAttempts: 2,
  tags: new Map(),
  revision: randomUUID(),
});

export const arnOf = ({ name, region }: Pick<LambdaFunction, 'name' | 'region'>): string =>
  `arn:aws:lambda:${region}:${accountId}:function:${name}`;
