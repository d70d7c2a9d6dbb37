import { isBeginning, isNameFilter } from '../../../core/delivery/match-names.ts';
import { RendermillError } from '../../../core/errors.ts';
import { eventCatalog, resolveEventName } from '../../../core/events/catalog.ts';
import type { Reader } from '../../../platform/db/client.ts';

const ownNames = async (db: Reader, organizationId: string): Promise<readonly string[]> => {
  const rows = await db
    .selectFrom('event_definition')
    .select('name')
    .distinct()
    .where('organization_id', '=', organizationId)
    .execute();
  return rows.map(({ name }) => name);
};

const shownHints = 5;

/** Names that share a word with it, those that share more before the others. */
const similarTo = (name: string, known: readonly string[]): readonly string[] => {
  const words = new Set(name.toLowerCase().split('_'));
  return known
    .map((one) => ({ one, shared: one.split('_').filter((word) => words.has(word)).length }))
    .filter(({ shared }) => shared > 0)
    .toSorted((a, b) => b.shared - a.shared)
    .slice(0, shownHints)
    .map(({ one }) => one);
};

const refuseName = (name: string, known: readonly string[]): RendermillError => {
  const similar = similarTo(name, known);
  const hint = similar.length > 0 ? ` Did you mean ${similar.join(', ')}?` : '';
  return new RendermillError('invalid_request', {
    message: `eventNames: "${name}" is no event of the catalog and none of your own.${hint} A beginning with a star, such as batch_*, takes all that begin so.`,
    details: { name, similar },
  });
};

/**
 * The names as the log has them: an alias becomes its canonical name. A beginning need not match anything yet. Throws
 * `invalid_request` with a hint for a name that can never come.
 */
export const checkEventNames = async (
  db: Reader,
  organizationId: string,
  names: readonly string[],
): Promise<readonly string[]> => {
  const own = await ownNames(db, organizationId);
  const checked = names.map((name) => {
    if (isNameFilter(name) && (isBeginning(name) || own.includes(name))) return name;
    const canonical = resolveEventName(name);
    if (canonical === undefined) throw refuseName(name, [...Object.keys(eventCatalog), ...own]);
    return canonical;
  });
  return [...new Set(checked)];
};
