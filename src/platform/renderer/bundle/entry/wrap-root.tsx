import { type ComponentType, type FC, useContext } from 'react';
import { Internals } from 'remotion';
import { DescribeComposition } from './describe-composition.tsx';
import { describeCompositionId, stillsCompositionId } from './protocol.ts';
import { hasScene, Stage } from './stills/scene.tsx';
import { StillsComposition } from './stills/stills-composition.tsx';

/** To add a composition of ours: one more line here, and its id in protocol.ts. */
const ownCompositions: Readonly<Record<string, ComponentType>> = {
  [describeCompositionId]: DescribeComposition,
};

export const wrapRoot = (ProjectRoot: ComponentType): FC => {
  const project = (
    <>
      <ProjectRoot />
      {Object.entries(ownCompositions).map(([id, Own]) => (
        <Own key={id} />
      ))}
    </>
  );
  const Root = () => {
    const { onlyRenderComposition } = useContext(Internals.CompositionSetters);
    if (hasScene()) return <Stage project={project} />;
    // The project's root may need the props of an item, which are not there yet.
    if (onlyRenderComposition === stillsCompositionId) return <StillsComposition />;
    return project;
  };
  return Root;
};
