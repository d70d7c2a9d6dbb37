import { createElement as h } from 'react';
import { Composition, Html5Audio, Sequence, staticFile } from 'remotion';
import { Clip } from '../../video/composition/clip.ts';

const fps = 30;
/** As long as the sound of the clip. */
const soundFrames = 30 * fps;

/** The clip has sound for its first half only. */
const Minute = () =>
  h(
    'div',
    null,
    h(Clip),
    h(
      Sequence,
      { from: soundFrames, layout: 'none' },
      h(Html5Audio, { src: staticFile('sound/bed.mp3'), volume: 0.8 }),
    ),
  );

const shape = { component: Minute, width: 854, height: 480, fps, durationInFrames: 2 * soundFrames };

/** The same twice: what it costs to warm up must not count as what the minute costs. */
export const Root = () => [
  h(Composition, { key: 'minute', id: 'minute', ...shape }),
  h(Composition, { key: 'warm-up', id: 'warm-up', ...shape }),
];
