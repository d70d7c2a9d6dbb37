import type { ComponentType, FC } from 'react';
import { DescribeComposition } from './describe-composition.tsx';
import { describeCompositionId } from './protocol.ts';

/** To add a composition of ours: one more line here, and its id in protocol.ts. */
const ownCompositions: Readonly<Record<string, ComponentType>> = {
  [describeCompositionId]: DescribeComposition,
};

export const wrapRoot = (ProjectRoot: ComponentType): FC => {
  const Root = () => (
    <>
      <ProjectRoot />
      {Object.entries(ownCompositions).map(([id, Own]) => (
        <Own key={id} />
      ))}
    </>
  );
  return Root;
};
