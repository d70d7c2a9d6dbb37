/** What an event says of its page, its advertisement and its browser, wherever its sender has put it. */
import type { SinkEvent } from './sink-event.ts';

type Facts = Readonly<Record<string, unknown>>;

export const isRecord = (value: unknown): value is Facts =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const factIn = (facts: Facts, names: readonly string[]): string | undefined => {
  for (const name of names) {
    const value = Object.hasOwn(facts, name) ? facts[name] : undefined;
    if (typeof value === 'string' && value.trim() !== '') return value;
    if (typeof value === 'number') return String(value);
  }
  return undefined;
};

/** The first of these names that has a value: among the properties, then in the context, then in its `page`. */
export const readFact = (event: SinkEvent, ...names: readonly string[]): string | undefined =>
  factIn(event.properties, names) ??
  factIn(event.context, names) ??
  (isRecord(event.context.page) ? factIn(event.context.page, names) : undefined);

export interface Attribution {
  readonly firstTouch: Facts;
  readonly lastTouch: Facts;
}

/** The derived `attribution` of an event of the server; empty touches where there is none. */
export const readAttribution = (event: SinkEvent): Attribution => {
  const { attribution } = event.properties;
  const touch = (name: string): Facts => {
    const given = isRecord(attribution) ? attribution[name] : undefined;
    return isRecord(given) ? given : {};
  };
  return { firstTouch: touch('first_touch'), lastTouch: touch('last_touch') };
};

export const readTouch = (touch: Facts, name: string): string | undefined => factIn(touch, [name]);
