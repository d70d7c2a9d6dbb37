import { RendermillError } from '../../../core/errors.ts';
import { type Config, loadConfig } from '../../../platform/config/config.ts';
import { type Check, missing, ok, reasonOf, unknown } from './check.ts';
import { checkBrowser, checkFonts, checkNode, checkSetpriv, checkSharedMemory } from './check-machine.ts';
import { checkQueue } from './check-queue.ts';
import { checkRecords } from './check-records.ts';
import { checkDisk, checkStorage } from './check-storage.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const readConfig = (environment: Environment): { config: Config | null; check: Check } => {
  try {
    const config = loadConfig(environment);
    return { config, check: ok('configuration', `valid, home ${config.home}`) };
  } catch (error) {
    if (!(error instanceof RendermillError)) throw error;
    return {
      config: null,
      check: missing('configuration', error.message, 'Correct these variables, or unset them.'),
    };
  }
};

/** A look that fails is itself a finding, and hides none of the others. */
const look = (name: string, check: Promise<Check>): Promise<Check> =>
  check.catch((error: unknown) =>
    missing(name, reasonOf(error), 'This could not be looked at: mend what it says.'),
  );

const checkService = async (config: Config): Promise<readonly Check[]> => [
  ...(await checkRecords(config)),
  await look('queue', checkQueue(config.REDIS_URL)),
  await look('storage', checkStorage(config)),
  await look('disk', checkDisk(config)),
  ...(await checkLambdaIfSet(config)),
];

/** Loaded only where it is needed: it brings the SDK of AWS. */
const checkLambdaIfSet = async (config: Config): Promise<readonly Check[]> => {
  if (config.LAMBDA_FUNCTION === undefined) return [];
  const { checkLambda } = await import('./check-lambda.ts');
  return checkLambda(config);
};

const serviceChecks = [
  'database',
  'migrations',
  'workers',
  'render modes',
  'events',
  'secrets',
  'queue',
  'storage',
  'disk',
];

/** Looks and changes nothing: no database is started, no folder made. */
export const examine = async (environment: Environment): Promise<readonly Check[]> => {
  const searchPath = environment.PATH ?? '';
  const { config, check } = readConfig(environment);
  return [
    checkNode(process.versions.node),
    check,
    await checkBrowser(environment.BROWSER_EXECUTABLE?.trim() || undefined),
    await checkSetpriv(searchPath),
    await look('fonts', checkFonts(searchPath)),
    await checkSharedMemory(),
    ...(config === null
      ? serviceChecks.map((name) => unknown(name, 'the configuration is not valid'))
      : await checkService(config)),
  ];
};
