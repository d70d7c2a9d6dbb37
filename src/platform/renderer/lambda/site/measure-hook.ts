/**
 * Remotion's function can list all compositions of a site, which runs every calculateMetadata with the props of this one order: one that
 * cannot bear them would fail the order of another. So the site's copy of index.html carries a script that, only when asked by this
 * variable, answers that question with one composition, resolved as a render would resolve it.
 */
export const measureVariable = 'RENDERMILL_MEASURE';

const hook = `<script>
(() => {
  const id = JSON.parse(window.remotion_envVariables || '{}').${measureVariable};
  if (id === undefined) return;
  const measure = async () => [await window.remotion_calculateComposition(id)];
  Object.defineProperty(window, 'getStaticCompositions', { get: () => measure, set: () => undefined });
})();
</script>
`;

/** Raise it with every change of the hook: sites that stand already have the older one. */
export const hookRevision = 1;

/** Before the first script of the page, so that the bundle finds it in place. */
export const withMeasureHook = (html: string): string => {
  const at = html.indexOf('<script');
  if (at < 0) throw new Error('The index.html of the bundle has no script.');
  return html.slice(0, at) + hook + html.slice(at);
};
