import { Internals } from 'remotion';

let home: ParentNode | null = null;

/** To be called while the node into which compositions are mounted still stands where Remotion has created it. */
export const rememberPortalHome = (): void => {
  home = Internals.portalNode().parentNode;
};

/**
 * In a fresh page the node stands in a box outside of the picture until the composition's layout effects have run. Left in the
 * picture, or nowhere, it would have them measure something else.
 */
export const takePortalHome = (): void => {
  home?.append(Internals.portalNode());
};
