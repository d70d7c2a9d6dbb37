import type { ReactNode } from 'react';
import { AbsoluteFill, Easing, interpolate, useCurrentFrame, useVideoConfig } from 'remotion';

export type WipeFrom = 'end' | 'bottom' | 'start';

const WIPE_IN_SECONDS = 0.4;
const LEAD_IN_SECONDS = 0.1;

/** Uncovers a scene over the one before it, behind a bar of colour that runs ahead. */
export function Wipe({ from, bar, children }: { from: WipeFrom | null; bar: string; children: ReactNode }) {
  const frame = useCurrentFrame();
  const { fps } = useVideoConfig();
  if (from === null) return <AbsoluteFill>{children}</AbsoluteFill>;
  const covered = (delayInSeconds: number) =>
    interpolate(frame, [delayInSeconds * fps, (delayInSeconds + WIPE_IN_SECONDS) * fps], [100, 0], {
      easing: Easing.bezier(0.7, 0, 0.15, 1),
      extrapolateLeft: 'clamp',
      extrapolateRight: 'clamp',
    });
  return (
    <>
      <AbsoluteFill style={{ backgroundColor: bar, clipPath: clip(from, covered(0)) }} />
      <AbsoluteFill style={{ clipPath: clip(from, covered(LEAD_IN_SECONDS)) }}>{children}</AbsoluteFill>
    </>
  );
}

function clip(from: WipeFrom, percent: number): string {
  if (from === 'bottom') return `inset(${percent}% 0 0 0)`;
  return from === 'end' ? `inset(0 0 0 ${percent}%)` : `inset(0 ${percent}% 0 0)`;
}
