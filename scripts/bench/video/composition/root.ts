import { createElement as h } from 'react';
import { Composition } from 'remotion';
import { Clip } from './clip.ts';

/** Ten seconds at 30 frames a second; the bench asks for the size. */
export const Root = () =>
  h(Composition, {
    id: 'clip',
    component: Clip,
    width: 1920,
    height: 1080,
    fps: 30,
    durationInFrames: 300,
  });
