import type { EventName, EventProperties } from '../../../src/core/events/catalog.ts';

const timestamp = '2024-01-28T12:00:00Z';
const facts = {
  exportId: 'export-1',
  projectId: 'project-1',
  renderMode: 'local',
  batchId: 'batch-1',
  format: 'png',
  timestamp,
} as const;
const job = { ...facts, job_id: 'export-1', compositionId: 'hero-ad', kind: 'still' } as const;
const batch = {
  jobId: 'batch-1',
  jobType: 'csv_import',
  campaignId: 'summer-sale-2024',
  projectId: 'project-1',
  compositionId: 'hero-ad',
  totalItems: 50,
  variantCount: 5,
  sizeCount: 10,
  run: 2,
  timestamp,
} as const;
const batchEnded = { successCount: 0, failCount: 49, canceledCount: 1, duration: 1000 };
const ended = { attempt: 1, queue_wait_ms: 20, processing_time_ms: 300 };

/** Every property of every event, with a value that it takes. */
export const exampleProperties: { readonly [Name in EventName]: Required<EventProperties<Name>> } = {
  video_rendered: {
    ...facts,
    compositionId: 'example-hero-ad',
    templateId: 'custom-ad-123',
    width: 1080,
    height: 1080,
    sizeInBytes: 245_678,
    duration: 3500,
    userId: 'user-789',
    cached: false,
  },
  batch_completed: {
    jobId: 'job-12345',
    jobType: 'campaign',
    campaignId: 'summer-sale-2024',
    totalItems: 50,
    successCount: 48,
    failCount: 2,
    variantCount: 5,
    sizeCount: 10,
    duration: 125_000,
    timestamp,
    run: 1,
    canceledCount: 0,
    cachedCount: 3,
    projectId: 'project-1',
    compositionId: 'hero-ad',
  },
  batch_started: batch,
  batch_failed: { ...batch, ...batchEnded },
  batch_cancelled: { ...batch, ...batchEnded },
  export_downloaded: {
    exportType: 'zip',
    fileCount: 50,
    sizeInBytes: 12_456_789,
    format: 'png',
    organizationStrategy: 'locale-first',
    includesManifest: true,
    timestamp,
    fileId: 'file-1',
    exportId: 'export-1',
    batchId: 'batch-1',
  },
  download_completed: {
    exportType: 'single_file',
    fileCount: 1,
    sizeInBytes: 1234,
    format: 'png',
    duration: 20,
    timestamp,
    fileId: 'file-1',
    exportId: 'export-1',
    batchId: 'batch-1',
  },
  first_render_completed: { ...facts, compositionId: 'hero-ad' },
  job_created: {
    ...job,
    tier: 'credits',
    duration_seconds: 10,
    resolution: '1080x1080',
    credits_before: 5,
    credits_after: 4,
  },
  processing_started: { ...job, attempt: 1, queue_wait_ms: 20 },
  processing_completed: {
    ...job,
    ...ended,
    success_bool: true,
    video_bytes: 1234,
    duration_seconds: 10,
    resolution: '1080x1080',
    cached: false,
  },
  processing_failed: {
    ...job,
    ...ended,
    success_bool: false,
    failure_reason: 'The browser was lost.',
    error_code: 'browser_lost',
  },
  job_timeout: { ...job, ...ended, error_code: 'render_timeout' },
  job_canceled: { ...job, attempt: 0 },
  job_refunded: {
    ...job,
    credits_before: 4,
    credits_after: 5,
    failure_reason: 'It failed.',
    error_code: 'render_failed',
  },
};

interface DocumentedProperty {
  readonly type: 'string' | 'number' | 'boolean';
  readonly optional: boolean;
}

const text: DocumentedProperty = { type: 'string', optional: false };
const optionalText: DocumentedProperty = { type: 'string', optional: true };
const number: DocumentedProperty = { type: 'number', optional: false };
const optionalNumber: DocumentedProperty = { type: 'number', optional: true };

/** The tables "Event Properties" of the document on core value event tracking (TRACK-004). */
export const coreValueProperties: Readonly<Record<string, Readonly<Record<string, DocumentedProperty>>>> = {
  video_rendered: {
    compositionId: text,
    templateId: optionalText,
    format: text,
    width: number,
    height: number,
    sizeInBytes: optionalNumber,
    duration: optionalNumber,
    timestamp: text,
    userId: optionalText,
  },
  batch_completed: {
    jobId: text,
    jobType: text,
    campaignId: optionalText,
    totalItems: number,
    successCount: number,
    failCount: number,
    variantCount: optionalNumber,
    sizeCount: optionalNumber,
    duration: optionalNumber,
    timestamp: text,
  },
  export_downloaded: {
    exportType: text,
    fileCount: number,
    sizeInBytes: number,
    format: optionalText,
    organizationStrategy: optionalText,
    includesManifest: { type: 'boolean', optional: true },
    timestamp: text,
  },
};
