import type { ComponentType, FC } from 'react';
import { Internals } from 'remotion';
import { wrapRoot } from './wrap-root.tsx';

/**
 * Puts our compositions beside the project's. Remotion's render page asks `waitForRoot` for the root component at call time, after
 * all modules have run, so it gets the wrapped one. Each root is wrapped once: a new component would make React mount anew.
 */
export const install = (): void => {
  const original = Internals.waitForRoot;
  const wrapped = new Map<ComponentType, FC>();
  const waitForWrappedRoot: typeof original = (onRoot) =>
    original((root) => {
      const known = wrapped.get(root) ?? wrapRoot(root);
      wrapped.set(root, known);
      onRoot(known);
    });
  Object.assign(Internals, { waitForRoot: waitForWrappedRoot });
};
