/** A video in which every frame and every moment of sound differs from all others, as the props want it. */

import { useEffect, useState } from 'react';
import {
  AbsoluteFill,
  Composition,
  continueRender,
  delayRender,
  Html5Audio,
  registerRoot,
  Sequence,
  staticFile,
  useCurrentFrame,
} from 'remotion';

const numbers = Array.from({ length: 12 }, (_, index) => index);

const Dots = ({ frame }) =>
  numbers.map((index) => {
    const angle = (index * Math.PI) / 6 + frame / 9;
    const style = {
      position: 'absolute',
      left: 150 + 100 * Math.cos(angle),
      top: 80 + 60 * Math.sin(angle * 1.3),
      width: 22,
      height: 22,
      borderRadius: 11,
      background: `hsl(${index * 30 + frame * 3}, 90%, 60%)`,
    };
    return <div key={index} style={style} />;
  });

/** Holds each frame for a while. */
const Slow = ({ frame, ms }) => {
  const [handles] = useState(() => new Map());
  if (!handles.has(frame)) handles.set(frame, delayRender(`frame ${frame}`));
  useEffect(() => {
    const timer = setTimeout(() => continueRender(handles.get(frame)), ms);
    return () => clearTimeout(timer);
  }, [frame, handles, ms]);
  return null;
};

const Show = ({ sound, soundFrom = 0, throwAt, slowMs = 0 }) => {
  const frame = useCurrentFrame();
  if (frame === throwAt) throw new Error(`There is no price for frame ${frame}`);
  const background = `linear-gradient(${frame * 4}deg, hsl(${frame * 2}, 70%, 35%), hsl(${frame * 2 + 90}, 70%, 55%))`;
  return (
    <AbsoluteFill style={{ background, color: 'white', fontSize: 30, textShadow: '2px 2px 6px black' }}>
      <Dots frame={frame} />
      <div style={{ margin: 20 }}>frame {frame}</div>
      {slowMs > 0 ? <Slow frame={frame} ms={slowMs} /> : null}
      {sound ? (
        <Sequence from={soundFrom} layout="none">
          <Html5Audio src={staticFile(`${sound}.wav`)} />
        </Sequence>
      ) : null}
    </AbsoluteFill>
  );
};

const calculateMetadata = ({ props }) => ({
  durationInFrames: props.frames ?? 60,
  fps: props.fps ?? 30,
  width: props.width ?? 320,
  height: props.height ?? 180,
  defaultSampleRate: props.sampleRate ?? 48_000,
});

registerRoot(() => (
  <Composition
    id="show"
    component={Show}
    calculateMetadata={calculateMetadata}
    durationInFrames={1}
    fps={30}
    width={320}
    height={180}
  />
));
