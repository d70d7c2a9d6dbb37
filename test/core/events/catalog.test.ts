import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  type EventName,
  type EventProperties,
  eventCatalog,
  isEventName,
} from '../../../src/core/events/catalog.ts';
import { eventSources } from '../../../src/core/events/define-event.ts';
import { coreValueProperties, exampleProperties } from './example-properties.ts';

const names = Object.keys(eventCatalog) as EventName[];
const schemaOf = (name: EventName): z.ZodType => eventCatalog[name].properties;

interface ObjectSchema {
  readonly properties: Readonly<Record<string, { type?: string; enum?: readonly unknown[] }>>;
  readonly required?: readonly string[];
}

const describeSchema = (name: EventName) =>
  z.toJSONSchema(schemaOf(name), { io: 'input' }) as unknown as ObjectSchema;

describe('the event catalog', () => {
  test('has the events of renders, batches and downloads, and says of no other that it is one', () => {
    expect(names.toSorted()).toEqual([
      'batch_cancelled',
      'batch_completed',
      'batch_failed',
      'batch_started',
      'download_completed',
      'export_downloaded',
      'first_render_completed',
      'job_canceled',
      'job_created',
      'job_refunded',
      'job_timeout',
      'processing_completed',
      'processing_failed',
      'processing_started',
      'video_rendered',
    ]);
    expect(names.every(isEventName)).toBe(true);
    for (const other of ['video_render', 'constructor', '__proto__', 'toString', ''])
      expect(isEventName(other)).toBe(false);
  });

  describe.each(names)('%s', (name) => {
    test('names its sources, a family, a version, and a description that is a sentence', () => {
      const definition = eventCatalog[name];
      expect(definition.sources.length).toBeGreaterThan(0);
      for (const source of definition.sources) expect(eventSources).toContain(source);
      expect(definition.family).toMatch(/^[a-z_]+$/);
      expect(definition.schemaVersion).toBeGreaterThanOrEqual(1);
      expect(definition.description).toMatch(/^[A-Z].*\.$/);
      expect(['behaviour', 'business']).toContain(definition.retention);
    });

    test('may not come from a browser', () => {
      expect(eventCatalog[name].sources).not.toContain('web');
    });

    test('takes its properties and refuses an unknown one', () => {
      const example = exampleProperties[name];
      expect(schemaOf(name).safeParse(example).error).toBeUndefined();
      const refused = schemaOf(name).safeParse({ ...example, colour: 'red' });
      expect(refused.error?.issues).toMatchObject([{ code: 'unrecognized_keys', keys: ['colour'] }]);
    });

    test('refuses each of its properties with a value of another type, and a missing required one', () => {
      const { required = [] } = describeSchema(name);
      const example: Record<string, unknown> = exampleProperties[name];
      for (const property of Object.keys(example)) {
        const { [property]: _left, ...rest } = example;
        expect(schemaOf(name).safeParse({ ...rest, [property]: { not: 'this' } }).success, property).toBe(
          false,
        );
        expect(schemaOf(name).safeParse(rest).success, `without ${property}`).toBe(
          !required.includes(property),
        );
      }
      expect(required).toContain('timestamp');
    });
  });
});

describe('the core value events are those of the document', () => {
  test.each(Object.entries(coreValueProperties))(
    '%s has its properties, types and optionality',
    (name, table) => {
      const { properties, required = [] } = describeSchema(name as EventName);
      for (const [property, { type, optional }] of Object.entries(table)) {
        const described = properties[property];
        expect(described, `${name}.${property} exists`).toBeDefined();
        expect(
          described?.type === 'integer' ? 'number' : described?.type,
          `type of ${name}.${property}`,
        ).toBe(type);
        expect(!required.includes(property), `${name}.${property} is optional`).toBe(optional);
      }
    },
  );

  test.each(Object.entries(coreValueProperties))(
    '%s: what is ours beside them is optional',
    (name, table) => {
      const { required = [] } = describeSchema(name as EventName);
      const ours = required.filter((property) => table[property] === undefined);
      expect(ours).toEqual([]);
    },
  );

  test('the values that the document gives as examples are taken', () => {
    expect(describeSchema('batch_completed').properties.jobType?.enum).toEqual(['campaign', 'csv_import']);
    expect(describeSchema('export_downloaded').properties.exportType?.enum).toEqual(['zip', 'single_file']);
  });

  test('a batch of one is no batch', () => {
    const one = { ...exampleProperties.batch_completed, totalItems: 1 };
    expect(eventCatalog.batch_completed.properties.safeParse(one).success).toBe(false);
  });
});

test('wrong properties are refused before there is a program: the compiler says so of each line below', () => {
  const compiled = (timestamp: string) => {
    const right: EventProperties<'first_render_completed'> = { compositionId: 'c', format: 'png', timestamp };
    // @ts-expect-error a required property is missing
    const missing: EventProperties<'first_render_completed'> = { format: 'png', timestamp };
    // @ts-expect-error a number is not a string
    const mistyped: EventProperties<'first_render_completed'> = { ...right, format: 5 };
    // @ts-expect-error there is no such property
    const unknown: EventProperties<'first_render_completed'> = { ...right, colour: 'red' };
    // @ts-expect-error there is no such event
    const name: EventName = 'video_render';
    return [right, missing, mistyped, unknown, name];
  };
  expect(compiled).toBeTypeOf('function');
});
