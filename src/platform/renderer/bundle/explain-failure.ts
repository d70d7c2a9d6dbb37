import type { CompileError } from './collect-errors.ts';

/** More would only repeat the first ones in other words. */
const maxErrors = 5;

/** A bare name, such as zod or @remotion/gif: what begins with a dot or a slash is a file of the project's own. */
const missingPackage = /(?:Cannot find module|Can't resolve) '(?![./])/;

/** The machine's folders are of no use to the developer; the file and the line are. */
export const explainCompileErrors = (errors: readonly CompileError[], projectPath: string): string => {
  const texts = errors
    .slice(0, maxErrors)
    .map(({ file, text }) => (file === null ? text : `${file}: ${text}`));
  const relative = texts.map((text) =>
    text.replaceAll(`${projectPath}/`, '').replaceAll(projectPath, 'the project'),
  );
  const install = texts.some((text) => missingPackage.test(text)) ? '\nRun npm install in the project.' : '';
  return `The project does not compile.\n${relative.join('\n')}${install}`;
};

export interface BlockedAddress {
  readonly url: string;
  readonly reason: string;
}

const withBlocked = (text: string, blocked: readonly BlockedAddress[]): string =>
  blocked.length === 0
    ? text
    : `${text} Blocked by the list of allowed hosts: ${blocked.map(({ url, reason }) => `${url} (${reason})`).join(', ')}.`;

const firstLine = (text: string): string => text.split('\n', 1)[0] ?? text;

/** What the page said while it loaded the project and listed its compositions. */
export const explainPageError = (
  text: string,
  place: string | null,
  blocked: readonly BlockedAddress[],
): string => {
  const duplicate = /Multiple composition with id (.+) are registered/.exec(text)?.[1];
  if (duplicate !== undefined)
    return `Two compositions have the id "${duplicate}". Every <Composition> needs an id of its own.`;
  if (/registerRoot\(\) was never called|Loading root component/.test(text)) {
    return withBlocked('The entry point was loaded, but registerRoot() was not called in time.', blocked);
  }
  return withBlocked(
    `The project threw an error while it was loaded: ${firstLine(text)}${place === null ? '' : ` (${place})`}`,
    blocked,
  );
};

export const explainMetadataError = (id: string, text: string, blocked: readonly BlockedAddress[]): string =>
  withBlocked(
    `calculateMetadata() of the composition "${id}" failed with its default props: ${firstLine(text)}. A composition must be able to resolve with its default props.`,
    blocked,
  );
