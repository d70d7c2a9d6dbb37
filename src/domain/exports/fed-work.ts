import { chunkJobId, groupJobId, renderJobId } from '../../core/exports.ts';

/** What has been planned, and the job that the queue must have for it. */
export interface FedWork {
  readonly kind: 'export' | 'chunk';
  readonly id: string;
  readonly epoch: number;
  /** The job that it shares with others; null: a job of its own. */
  readonly groupId: string | null;
}

export interface FedJob extends FedWork {
  /** For the queue; lower runs first. */
  readonly priority: number;
}

export const jobIdOf = ({ kind, id, epoch, groupId }: FedWork): string => {
  if (groupId !== null) return groupJobId(groupId);
  return kind === 'chunk' ? chunkJobId(id, epoch) : renderJobId(id, epoch);
};
