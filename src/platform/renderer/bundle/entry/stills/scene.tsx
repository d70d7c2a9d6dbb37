import { Component, Fragment, type ReactNode, useContext, useEffect, useState } from 'react';
import { type BundleState, Internals } from 'remotion';

/** What stands in Remotion's React root while stills are shown: nothing, or the project, mounted anew. */
interface Scene {
  readonly number: number;
  readonly hasProject: boolean;
  readonly onCommitted: () => void;
  readonly onThrown: (thrown: unknown) => void;
}

let scene: Scene | null = null;

export const hasScene = (): boolean => scene !== null;

/**
 * Has Remotion render in this mode, and returns when React has run the effects of what it mounted, and shown what they
 * changed. Remotion keeps one React root
 * for all modes; with a number of its own each scene begins without any state of the one before.
 */
export const changeScene = (
  hasProject: boolean,
  mode: BundleState,
  onThrown: (thrown: unknown) => void = () => undefined,
): Promise<void> =>
  new Promise((resolve) => {
    scene = { number: (scene?.number ?? 0) + 1, hasProject, onCommitted: resolve, onThrown };
    window.remotion_setBundleMode(mode);
  });

interface BoundaryProps {
  readonly scene: Scene;
  readonly children: ReactNode;
}

/**
 * Stays while scenes come and go: what the last one throws when it is taken away ends here as well, and would otherwise take down
 * the whole root.
 */
class Boundary extends Component<BoundaryProps, { number: number; hasThrown: boolean }> {
  override state = { number: 0, hasThrown: false };

  static getDerivedStateFromProps({ scene: { number } }: BoundaryProps, state: { number: number }) {
    return number === state.number ? null : { number, hasThrown: false };
  }

  static getDerivedStateFromError() {
    return { hasThrown: true };
  }

  override componentDidCatch(thrown: unknown) {
    this.props.scene.onThrown(thrown);
  }

  override render() {
    return this.state.hasThrown ? null : this.props.children;
  }
}

export const Stage = ({ project }: { project: ReactNode }) => {
  const { canvasContent } = useContext(Internals.CompositionManager);
  const { setCanvasContent } = useContext(Internals.CompositionSetters);
  const [settled, setSettled] = useState(0);
  // An effect may run late, when the next scene is already set.
  const own = scene;
  useEffect(() => {
    if (own === null) return;
    // Left selected, the composition would be mounted before its frame and its props are known.
    if (!own.hasProject && canvasContent !== null) setCanvasContent(null);
    // Comes with what the project's effects have set in the same moment: the compositions that they register.
    else if (settled !== own.number) setSettled(own.number);
    else own.onCommitted();
  });
  if (own === null) return null;
  return (
    <Boundary scene={own}>{own.hasProject ? <Fragment key={own.number}>{project}</Fragment> : null}</Boundary>
  );
};
