/** Schemas that have landed, by event and version: rows of the log and senders keep to them, so they may only grow. */
import { destructiveChanges } from './additive.ts';
import { definitionOf, type EventName, eventCatalog, isEventName } from './catalog.ts';
import { type EventJsonSchema, eventJsonSchema } from './json-schema.ts';

export type LandedSchemas = Readonly<Record<string, Readonly<Record<string, EventJsonSchema>>>>;

const refusalsOf = (name: string, versions: LandedSchemas[string]): string[] => {
  if (!isEventName(name))
    return [`${name} has landed and is gone from the catalog: put it back, events are never removed.`];
  const { schemaVersion } = definitionOf(name);
  const newer = Object.keys(versions).filter((version) => Number(version) > schemaVersion);
  if (newer.length > 0)
    return [
      `${name} is of version ${schemaVersion} and has landed as ${newer.join(', ')}: versions only grow.`,
    ];
  return Object.entries(versions).flatMap(([version, schema]) =>
    destructiveChanges({ ...schema }, { ...eventJsonSchema(name) }).map(
      (change) =>
        `${name}: ${change}. Version ${version} has landed so: leave it as it was, and give what is new a name of its own.`,
    ),
  );
};

/** Why the catalog may not follow what has landed, a sentence each. */
export const destructionsOf = (landed: LandedSchemas): string[] =>
  Object.entries(landed).flatMap(([name, versions]) => refusalsOf(name, versions));

/** What has landed with the catalog as it is now: older versions stay, the current one is the catalog's. */
export const landCatalog = (landed: LandedSchemas): LandedSchemas =>
  Object.fromEntries(
    (Object.keys(eventCatalog) as EventName[])
      .toSorted()
      .map((name) => [name, { ...landed[name], [definitionOf(name).schemaVersion]: eventJsonSchema(name) }]),
  );
