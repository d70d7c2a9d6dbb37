import { S3Client } from '@aws-sdk/client-s3';
import type { S3Emulator } from '../support/aws/s3/start-s3.ts';

/** One try only, so that a fault is seen and not retried away. */
export const clientOf = (s3: S3Emulator, region = 'us-east-1', secretAccessKey?: string): S3Client =>
  new S3Client({
    region,
    endpoint: s3.url,
    maxAttempts: 1,
    credentials: { ...s3.credentials, ...(secretAccessKey ? { secretAccessKey } : {}) },
  });

/** Name and HTTP status of what the SDK threw. */
export const refusalOf = async (promise: Promise<unknown>): Promise<string> => {
  try {
    await promise;
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    return `${name} ${$metadata?.httpStatusCode ?? ''}`.trim();
  }
  return 'nothing thrown';
};
