import type { Afterwards } from './afterwards.ts';
import type { BucketObjects } from './bucket-objects.ts';
import type { FunctionTraits } from './function-name.ts';
import type { LambdaSettings } from './options.ts';
import type { SiteStore } from './site/site-store.ts';

/** What all renders of one renderer share. */
export interface Workplace {
  readonly settings: LambdaSettings;
  readonly traits: FunctionTraits;
  readonly objects: BucketObjects;
  readonly sites: SiteStore;
  readonly afterwards: Afterwards;
}

/** What every call of Remotion's client is given. */
export const functionOf = ({ settings }: Workplace) => ({
  region: settings.region,
  functionName: settings.functionName,
  forceBucketName: settings.bucketName,
  logLevel: 'error' as const,
});

/** Neither is below the other, so that one may be kept longer. */
export const progressPrefix = (renderId: string): string => `renders/${renderId}/`;
/** Remotion's own name: where it lies, the functions of the render stop. */
export const cancelKey = (renderId: string): string => `${progressPrefix(renderId)}cancel.json`;
export const outputKey = (id: string, extension: string): string => `outputs/${id}.${extension}`;
