/** Where renders may run, who may ask for it, and what waits for a mode that nobody serves. */
import { modesOf, type RenderModes, usableModes } from '../../../core/choose-render-mode.ts';
import type { RenderMode } from '../../../core/exports.ts';
import { listOrganizations, type Organization } from '../../../domain/accounts/organizations.ts';
import { lineFigures } from '../../../domain/exports/line-figures.ts';
import { unservedModes } from '../../../domain/exports/unserved.ts';
import type { Config } from '../../../platform/config/config.ts';
import type { Database } from '../../../platform/db/client.ts';
import { installedModes } from '../../installed-modes.ts';
import { type Check, ok, warning } from './check.ts';

const name = 'render modes';

export interface Stranded {
  readonly renderMode: RenderMode;
  readonly exports: number;
  readonly since: Date;
}

type Settings = Pick<
  Config,
  'RENDER_MODE' | 'RENDER_FALLBACK' | 'LAMBDA_FUNCTION' | 'UNSERVED_TIMEOUT_SECONDS'
>;

const whatHappens = ({ UNSERVED_TIMEOUT_SECONDS, RENDER_FALLBACK }: Settings, mode: RenderMode): string => {
  if (UNSERVED_TIMEOUT_SECONDS === 0) return 'They wait for ever (UNSERVED_TIMEOUT_SECONDS=0).';
  const end =
    mode === 'lambda' && RENDER_FALLBACK === 'local' ? 'go to the workers' : 'fail with render_mode_unserved';
  return `After ${UNSERVED_TIMEOUT_SECONDS} seconds without one they ${end}.`;
};

const startOne: Readonly<Record<RenderMode, string>> = {
  local: 'Start a worker: rendermill worker, or rendermill up.',
  lambda:
    'Start a worker with LAMBDA_FUNCTION and LAMBDA_BUCKET, or set RENDER_FALLBACK=local for API and workers.',
};

/** A few names are of use, hundreds are not. */
const mostNamed = 5;

const named = (ids: readonly string[]): string =>
  ids.length <= mostNamed
    ? ids.join(', ')
    : `${ids.slice(0, mostNamed).join(', ')} and ${ids.length - mostNamed} more`;

const whoMay = (settings: Settings, organizations: readonly Organization[]): string => {
  if (settings.LAMBDA_FUNCTION === undefined) return 'local (LAMBDA_FUNCTION is not set)';
  const modes: RenderModes = { default: settings.RENDER_MODE, available: ['local', 'lambda'] };
  const may = organizations
    .filter((one) => modesOf(one.id, modes, one.render_modes).allowed.includes('lambda'))
    .map(({ id }) => id);
  if (may.length === 0)
    return 'local, lambda; nobody may ask for lambda (rendermill organizations allow ID --render-mode lambda)';
  return `local, lambda; lambda for ${may.length === organizations.length ? 'everybody' : named(may)}`;
};

export const judgeModes = (
  settings: Settings,
  stranded: readonly Stranded[],
  organizations: readonly Organization[],
): Check => {
  const wrongs = [
    ...stranded.map((one) => ({
      found: `${one.exports} export(s) wait for ${one.renderMode}, which no live worker serves (since ${one.since.toISOString()})`,
      mend: `${startOne[one.renderMode]} ${whatHappens(settings, one.renderMode)}`,
    })),
    ...excluded(settings, organizations),
  ];
  if (wrongs.length === 0) return ok(name, whoMay(settings, organizations));
  return warning(name, wrongs.map(({ found }) => found).join('; '), wrongs.map(({ mend }) => mend).join(' '));
};

/** Of those whose every request is refused. */
const excluded = (settings: Settings, organizations: readonly Organization[]) => {
  const modes = installedModes(settings);
  const ids = organizations
    .filter((one) => usableModes(modesOf(one.id, modes, one.render_modes)).length === 0)
    .map(({ id }) => id);
  if (ids.length === 0) return [];
  return [
    {
      found: `all requests of ${named(ids)} are refused: no mode is left to render in`,
      mend: 'Allow it one: rendermill organizations allow ID --render-mode local.',
    },
  ];
};

export const checkModes = async (db: Database, config: Config, now: Date): Promise<Check> => {
  const figures = new Map((await lineFigures(db, now)).map((one) => [one.renderMode, one]));
  const stranded = (await unservedModes(db, now)).flatMap(({ renderMode, since }): Stranded[] => {
    const { waiting = 0, running = 0 } = figures.get(renderMode) ?? {};
    return waiting + running === 0 ? [] : [{ renderMode, since, exports: waiting + running }];
  });
  return judgeModes(config, stranded, await listOrganizations(db));
};
