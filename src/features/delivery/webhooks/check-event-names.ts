import { isBeginning, isNameFilter } from '../../../core/delivery/match-names.ts';
import { RendermillError } from '../../../core/errors.ts';
import { resolveEventName } from '../../../core/events/catalog.ts';
import { didYouMean } from '../../../core/events/similar-names.ts';
import { findUnknownNames, type UnknownName } from '../../../domain/events/known-names.ts';
import type { Reader } from '../../../platform/db/client.ts';

const refuseName = ({ name, similar }: UnknownName): RendermillError =>
  new RendermillError('invalid_request', {
    message: `eventNames: "${name}" is no event of the catalog, none of your own and none that you have sent so far.${didYouMean(similar)} Define it first with PUT /api/v1/catalog/events/NAME; or take a beginning with a star, such as batch_*, which takes all that begin so, also those to come.`,
    details: { name, similar },
  });

/** As the log has it: an alias becomes its canonical name, a beginning stays as it is. */
const canonical = (name: string): string => (isBeginning(name) ? name : (resolveEventName(name) ?? name));

/** Of an endpoint's filter: what takes nothing, as far as is known, and is most likely a mistake. */
const warningOf = ({ name, isBeginning: begins, similar }: UnknownName): string => {
  const what = begins ? 'is the beginning of no event' : 'is no event';
  return `eventNames: "${name}" ${what} of the catalog, of your own, or that you have sent so far: it takes nothing until one comes.${didYouMean(similar)}`;
};

export interface CheckedNames {
  /** As the log has them; null: all. */
  readonly names: readonly string[] | null;
  readonly warnings: readonly string[];
}

/**
 * A beginning need not match anything yet: a warning tells of one that does not. Throws `invalid_request` with a hint for a name that
 * nobody has defined or sent, unless the endpoint has it already (`kept`): what was deleted from the catalog must not keep its other
 * settings from being changed.
 */
export const checkEventNames = async (
  db: Reader,
  organizationId: string,
  names: readonly string[] | null,
  kept: readonly string[] = [],
): Promise<CheckedNames> => {
  if (names === null) return { names, warnings: [] };
  const checked = [...new Set(names.map(canonical))];
  const unknown = await findUnknownNames(db, organizationId, checked);
  const refused =
    unknown.find((one) => !one.isBeginning && !kept.includes(one.name)) ??
    checked
      .filter((name) => !isNameFilter(name))
      .map((name): UnknownName => ({ name, isBeginning: false, similar: [] }))[0];
  if (refused) throw refuseName(refused);
  return { names: checked, warnings: unknown.map(warningOf) };
};

/** Of the filter that an endpoint has. */
export const warnOfNames = async (
  db: Reader,
  organizationId: string,
  names: readonly string[] | null,
): Promise<readonly string[]> => (await findUnknownNames(db, organizationId, names ?? [])).map(warningOf);
