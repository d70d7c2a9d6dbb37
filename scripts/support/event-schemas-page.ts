/** docs/event-schemas.json: the schemas that have landed, by event and version; a line each. */
import { readFileSync } from 'node:fs';
import { destructionsOf, type LandedSchemas, landCatalog } from '../../src/core/events/landed-schemas.ts';

const file = new URL('../../docs/event-schemas.json', import.meta.url);

export const readLandedSchemas = (): LandedSchemas => JSON.parse(readFileSync(file, 'utf8')) as LandedSchemas;

const versionLines = (versions: LandedSchemas[string]): string =>
  Object.entries(versions)
    .map(([version, schema]) => `    "${version}": ${JSON.stringify(schema)}`)
    .join(',\n');

/** Throws for a catalog that takes back what has landed: nothing is written then. */
export const eventSchemasPage = (): string => {
  const landed = readLandedSchemas();
  const refusals = destructionsOf(landed);
  if (refusals.length > 0) throw new Error(refusals.join('\n'));
  const entries = Object.entries(landCatalog(landed)).map(
    ([name, versions]) => `  "${name}": {\n${versionLines(versions)}\n  }`,
  );
  return `{\n${entries.join(',\n')}\n}\n`;
};
