import { useEffect } from 'react';
import { Composition } from 'remotion';
import { type StillsPageProps, stillsCompositionId } from '../protocol.ts';
import { startStills } from './start-stills.ts';

const nothing: StillsPageProps = { compositionId: '', width: 2, height: 2, items: [] };

/** Shows nothing itself: it hands over what to show, and is gone when the first item comes. */
const Stills = (props: StillsPageProps) => {
  useEffect(() => startStills(props), [props]);
  return null;
};

export const StillsComposition = () => (
  <Composition
    id={stillsCompositionId}
    component={Stills as () => null}
    width={2}
    height={2}
    fps={1}
    durationInFrames={1}
    defaultProps={nothing as object}
  />
);
