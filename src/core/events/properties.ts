/** Properties that several families share. Names in snake_case come from the documents that define those events. */
import { z } from 'zod';

export const timestamp = z.iso.datetime().describe('When it happened, ISO 8601 in UTC');
export const count = z.int().min(0);
export const pixels = z.int().min(1).describe('Pixels');
export const milliseconds = z.number().min(0).describe('Milliseconds');

/** Which export: ours, beside the properties that the defining document names. */
export const exportFacts = {
  exportId: z.string().optional(),
  projectId: z.string().optional(),
  renderMode: z.enum(['local', 'lambda']).optional(),
  batchId: z.string().optional(),
};

/** What was handed out: the same when it begins and when it ends. */
export const downloadFacts = {
  exportType: z.enum(['zip', 'single_file']),
  fileCount: z.int().min(1),
  sizeInBytes: count,
  format: z.string().optional(),
  timestamp,
  fileId: z.string().optional(),
  exportId: z.string().optional(),
  batchId: z.string().optional(),
};
