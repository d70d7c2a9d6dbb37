/** Where an erasure is, for whoever asked for it. */
export const erasureStatuses = [
  'received',
  'erasing',
  'telling_sinks',
  'asking_posthog',
  'failed',
  'done',
] as const;
export type ErasureStatus = (typeof erasureStatuses)[number];

interface Progress {
  readonly logDone: boolean;
  readonly posthogState: 'not_configured' | 'waiting' | 'done' | 'failed' | null;
  readonly done: boolean;
}

export const erasureStatusOf = ({ logDone, posthogState, done }: Progress): ErasureStatus => {
  if (done) return 'done';
  if (posthogState === 'failed') return 'failed';
  if (!logDone) return 'erasing';
  return posthogState === 'waiting' ? 'asking_posthog' : 'telling_sinks';
};
