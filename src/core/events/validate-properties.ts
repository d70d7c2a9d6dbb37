import type { z } from 'zod';
import { definitionOf, type EventName } from './catalog.ts';

export type Validated =
  | { readonly ok: true; readonly properties: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly reasons: readonly string[] };

/** Names whose null says nothing: they may be absent, and null is none of their values. */
const findVoidNulls = (schema: z.ZodObject): ReadonlySet<string> =>
  new Set(
    Object.entries(schema.shape as Record<string, z.ZodType>)
      .filter(([, inner]) => inner.safeParse(undefined).success && !inner.safeParse(null).success)
      .map(([name]) => name),
  );

const voidNulls = new Map<EventName, ReadonlySet<string>>();
const voidNullsOf = (name: EventName): ReadonlySet<string> => {
  const found = voidNulls.get(name) ?? findVoidNulls(definitionOf(name).properties);
  voidNulls.set(name, found);
  return found;
};

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const reasonOf = ({ path, message }: z.core.$ZodIssue): string =>
  path.length === 0 ? message : `${path.join('.')}: ${message}`;

/**
 * Whether properties keep the contract of an event, as anybody may send it. What the catalog does not name is let through as it
 * is; null for a property that may be absent counts as absent, and is left out.
 */
export const validateProperties = (name: EventName, properties: unknown): Validated => {
  if (!isRecord(properties)) return { ok: false, reasons: ['properties: expected an object'] };
  const without = voidNullsOf(name);
  const given = Object.fromEntries(
    Object.entries(properties).filter(([property, value]) => value !== null || !without.has(property)),
  );
  const parsed = definitionOf(name).properties.safeParse(given);
  return parsed.success
    ? { ok: true, properties: given }
    : { ok: false, reasons: parsed.error.issues.map(reasonOf) };
};
