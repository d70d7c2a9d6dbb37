import { useEffect } from 'react';
import { Composition, registerRoot, useCurrentFrame } from 'remotion';

/** Larger than any picture of it, scrolled, and with things that hold on to the edges of the viewport. */
const Overflowing = () => {
  const frame = useCurrentFrame();
  useEffect(() => window.scrollTo(100, 700));
  return (
    <div style={{ width: 3000, height: 4000, background: `linear-gradient(${frame * 30}deg, red, blue)` }}>
      <h1 style={{ fontSize: 90, textShadow: '0 4px 12px black' }}>Frame {frame}</h1>
      <div
        style={{ position: 'absolute', top: '50vh', width: '50vw', height: '100vh', background: 'black' }}
      />
      <div style={{ position: 'fixed', right: 0, bottom: 0, fontSize: 60, background: 'lime' }}>edge</div>
    </div>
  );
};

registerRoot(() => (
  <Composition
    id="overflowing"
    component={Overflowing}
    width={640}
    height={360}
    fps={30}
    durationInFrames={30}
  />
));
