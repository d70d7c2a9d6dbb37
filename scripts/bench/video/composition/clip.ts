import { type CSSProperties, createElement as h } from 'react';
import { AbsoluteFill, Html5Audio, staticFile, useCurrentFrame, useVideoConfig } from 'remotion';

const balls = 24;

const ballStyle = (
  index: number,
  seconds: number,
  size: { width: number; height: number },
): CSSProperties => {
  const turn = (index / balls) * 2 * Math.PI;
  const radius = size.height * (0.2 + 0.015 * index);
  const diameter = size.height * (0.04 + 0.003 * index);
  return {
    position: 'absolute',
    left: size.width / 2 + Math.cos(turn + seconds * (0.6 + index / 30)) * radius - diameter / 2,
    top: size.height / 2 + Math.sin(turn + seconds * (0.9 + index / 40)) * radius - diameter / 2,
    width: diameter,
    height: diameter,
    borderRadius: '50%',
    background: `hsl(${index * 15} 80% 60%)`,
    boxShadow: `0 ${diameter / 6}px ${diameter / 3}px rgba(0, 0, 0, 0.45)`,
  };
};

const background = (seconds: number): string =>
  `linear-gradient(${seconds * 36}deg, hsl(${210 + seconds * 20} 70% 45%), hsl(${330 + seconds * 12} 75% 55%))`;

const headline = (seconds: number, height: number): CSSProperties => ({
  position: 'absolute',
  inset: 0,
  display: 'flex',
  alignItems: 'center',
  justifyContent: 'center',
  textAlign: 'center',
  color: 'white',
  font: `700 ${height / 9}px sans-serif`,
  textShadow: `0 ${height / 200}px ${height / 60}px rgba(0, 0, 0, 0.6)`,
  transform: `translateY(${Math.sin(seconds * 2) * height * 0.05}px) scale(${1 + 0.1 * Math.sin(seconds)})`,
});

/** The worst case for page and encoder: every pixel changes with every frame. A sound is mixed in. */
export const Clip = () => {
  const frame = useCurrentFrame();
  const { fps, width, height } = useVideoConfig();
  const seconds = frame / fps;
  return h(
    AbsoluteFill,
    { style: { background: background(seconds) } },
    ...Array.from({ length: balls }, (_, index) =>
      h('div', { key: index, style: ballStyle(index, seconds, { width, height }) }),
    ),
    h('div', { style: headline(seconds, height) }, `Every frame is new: ${frame}`),
    h(Html5Audio, { src: staticFile('sound/bed.mp3'), volume: 0.8 }),
  );
};
