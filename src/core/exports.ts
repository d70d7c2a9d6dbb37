/** The life of an export: `queued → started → completed / failed / canceled`. */
export const exportStatuses = ['queued', 'started', 'completed', 'failed', 'canceled'] as const;
export type ExportStatus = (typeof exportStatuses)[number];

export const isFinal = (status: ExportStatus): boolean =>
  status === 'completed' || status === 'failed' || status === 'canceled';

export const renderModes = ['local', 'lambda'] as const;
export type RenderMode = (typeof renderModes)[number];

/**
 * Job ids name the planning, not only the row: a queue that still knows an old job of the row cannot take the new one for it.
 * Letters first, because a queue may refuse ids that are all digits, and no colon, which is its own separator.
 */
export const renderJobId = (exportId: string, epoch: number): string => `render-${exportId}-${epoch}`;

/** A group is made at each planning anew, so it needs no epoch; the queue wants a number at the end. */
export const groupJobId = (groupId: string): string => `group-${groupId}-1`;

export const chunkJobId = (chunkId: string, epoch: number): string => `chunk-${chunkId}-${epoch}`;
