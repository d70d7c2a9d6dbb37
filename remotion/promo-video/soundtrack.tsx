import { Html5Audio, interpolate, Sequence, staticFile, useVideoConfig } from 'remotion';

const FADE_OUT_IN_SECONDS = 0.7;

/** The music bed under everything, and a chime as the brand appears. The bed is as long as the longest video. */
export function Soundtrack({ outroFrom }: { outroFrom: number }) {
  const { durationInFrames, fps } = useVideoConfig();
  const fade = [durationInFrames - FADE_OUT_IN_SECONDS * fps, durationInFrames];
  const bedVolume = (frame: number) =>
    interpolate(frame, fade, [0.8, 0], { extrapolateLeft: 'clamp', extrapolateRight: 'clamp' });
  return (
    <>
      <Html5Audio src={staticFile('sound/bed.mp3')} volume={bedVolume} />
      <Sequence from={outroFrom} layout="none">
        <Html5Audio src={staticFile('sound/chime.mp3')} volume={0.9} />
      </Sequence>
    </>
  );
}
