/** What S3 itself removes from the bucket: whatever a worker or a function left behind when it died. */
import type { LifecycleRule } from '@aws-sdk/client-s3';

/** Longer than any render, and than a worker that watched it may be gone. */
const leftoverDays = 3;
const unfinishedUploadDays = 1;
const ownIds = 'rendermill-';

/** Under which a render writes: its progress and its file, and props that are too large for an invocation. Never `sites/`. */
export const passingPrefixes = ['renders/', 'outputs/', 'input-props/', 'resolved-props/'] as const;

const ownRules: readonly LifecycleRule[] = [
  ...passingPrefixes.map(
    (prefix): LifecycleRule => ({
      ID: `${ownIds}expire-${prefix.slice(0, -1)}`,
      Status: 'Enabled',
      Filter: { Prefix: prefix },
      Expiration: { Days: leftoverDays },
    }),
  ),
  {
    ID: `${ownIds}unfinished-uploads`,
    Status: 'Enabled',
    Filter: { Prefix: '' },
    AbortIncompleteMultipartUpload: { DaysAfterInitiation: unfinishedUploadDays },
  },
];

/** Ours in their newest form, beside those of others. */
export const mergeRules = (found: readonly LifecycleRule[]): LifecycleRule[] => [
  ...found.filter((rule) => !rule.ID?.startsWith(ownIds)),
  ...ownRules,
];
