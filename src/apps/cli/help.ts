import { type ConfigVariable, describeVariables } from '../../platform/config/config.ts';

/** Read by the commands that talk to a running service; not part of a service's own configuration. */
export const clientVariables = {
  RENDERMILL_URL:
    'Where the service is, for the commands that use one; absent: where `up` is in RENDERMILL_HOME, else http://127.0.0.1:3000',
  RENDERMILL_API_KEY:
    'Secret key for those commands; absent: the one of `up` in RENDERMILL_HOME, for its own address only',
} as const;

const nameWidth = 36;
const line = (name: string, description: string): string => `  ${name.padEnd(nameWidth)}${description}`;

export const describeAllVariables = (): string =>
  [
    'Environment variables, also from a file .env in the working directory:',
    ...describeVariables().map(({ name, description }) => line(name, description)),
    ...Object.entries(clientVariables).map(([name, description]) => line(name, description)),
  ].join('\n');

/** For the end of a command's help: examples, and the variables that matter to it. */
export const helpEnd = (
  examples: readonly string[],
  variables: ReadonlyArray<ConfigVariable | keyof typeof clientVariables>,
): string => {
  const known = new Map<string, string>([
    ...describeVariables().map(({ name, description }): [string, string] => [name, description]),
    ...Object.entries(clientVariables),
  ]);
  return [
    '',
    'Examples:',
    ...examples.map((example) => `  ${example}`),
    '',
    'Environment variables (all: rendermill --help):',
    ...variables.map((name) => line(name, known.get(name) ?? '')),
  ].join('\n');
};
