import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  definitionOf,
  type EventName,
  type EventProperties,
  eventCatalog,
  isEventName,
  resolveEventName,
} from '../../../src/core/events/catalog.ts';
import { eventFamilies, eventSources } from '../../../src/core/events/define-event.ts';
import { coreValueProperties } from './documented-properties.ts';
import { exampleProperties } from './example-properties.ts';

const names = Object.keys(eventCatalog) as EventName[];
/** As `emit` holds our own code to it. */
const strictSchemaOf = (name: EventName): z.ZodObject => {
  const { emitted, properties } = definitionOf(name);
  return (emitted ?? properties).strict();
};
const shapeKeys = (schema: z.ZodObject): string[] => Object.keys(schema.shape);

interface ObjectSchema {
  readonly properties: Readonly<Record<string, { type?: string; enum?: readonly unknown[] }>>;
  readonly required?: readonly string[];
}

const describeEmitted = (name: EventName) =>
  z.toJSONSchema(strictSchemaOf(name), { io: 'input' }) as unknown as ObjectSchema;

describe('the event catalog', () => {
  test('says of no other name that it is one', () => {
    expect(names.every(isEventName)).toBe(true);
    for (const other of ['video_render', 'constructor', '__proto__', 'toString', '']) {
      expect(isEventName(other)).toBe(false);
      expect(resolveEventName(other)).toBeUndefined();
    }
  });

  test('resolves every name to itself and every alias to one event only', () => {
    const aliases = names.flatMap((name) => definitionOf(name).aliases ?? []);
    expect(new Set(aliases).size).toBe(aliases.length);
    for (const alias of aliases) expect(isEventName(alias), alias).toBe(false);
    for (const name of names) {
      for (const known of [name, ...(definitionOf(name).aliases ?? [])])
        expect(resolveEventName(known)).toBe(name);
    }
  });

  describe.each(names)('%s', (name) => {
    const definition = definitionOf(name);

    test('names its sources, a family, a version, and a description that is a sentence', () => {
      expect(definition.sources.length).toBeGreaterThan(0);
      for (const source of definition.sources) expect(eventSources).toContain(source);
      expect(eventFamilies).toContain(definition.family);
      expect(definition.schemaVersion).toBeGreaterThanOrEqual(1);
      expect(definition.description).toMatch(/^[A-Z].*\.$/);
      expect(['behaviour', 'business']).toContain(definition.retention);
    });

    test('is a name that a warehouse takes, and so are its properties', () => {
      expect(name).toMatch(/^[a-z][a-z0-9_]{0,62}$/);
      for (const property of shapeKeys(definition.properties))
        expect(property).toMatch(/^[a-zA-Z][a-zA-Z0-9_]{0,62}$/);
    });

    test('takes its properties, and from our own code refuses an unknown one', () => {
      const example = exampleProperties[name];
      expect(strictSchemaOf(name).safeParse(example).error).toBeUndefined();
      const refused = strictSchemaOf(name).safeParse({ ...example, colour: 'red' });
      expect(refused.error?.issues).toMatchObject([{ code: 'unrecognized_keys', keys: ['colour'] }]);
    });

    test('refuses each of its properties with a value of another type, and a missing required one', () => {
      const { required = [] } = describeEmitted(name);
      const example: Record<string, unknown> = exampleProperties[name];
      expect(Object.keys(example).toSorted()).toEqual(shapeKeys(strictSchemaOf(name)).toSorted());
      for (const property of Object.keys(example)) {
        const { [property]: _left, ...rest } = example;
        const wrong = strictSchemaOf(name).safeParse({ ...rest, [property]: { not: 'this' } });
        expect(wrong.success, property).toBe(false);
        const missing = strictSchemaOf(name).safeParse(rest);
        expect(missing.success, `without ${property}`).toBe(!required.includes(property));
      }
    });

    test('as our own code gives it keeps the contract with everybody else, and names nothing beside it', () => {
      expect(definition.properties.strict().safeParse(exampleProperties[name]).error).toBeUndefined();
    });
  });
});

describe('who may send what', () => {
  const ofWeb = names.filter((name) => definitionOf(name).sources.includes('web'));

  test('a browser may tell of no money: of monetization only what a page alone knows, of billing nothing', () => {
    const families = ['monetization', 'billing'];
    const money = ofWeb.filter((name) => families.includes(definitionOf(name).family));
    expect(money).toEqual(['paywall_view', 'checkout_step']);
  });

  test.each([
    ...['login_success', 'account_deleted', 'account_deletion_started', 'credits_granted', 'identity_linked'],
    ...['purchase_completed', 'topup_purchased', 'refund_issued', 'subscription_started', 'video_rendered'],
  ])('a browser may not send %s', (name) => {
    expect(ofWeb).not.toContain(name);
  });

  test.each([
    'landing_view',
    'cta_click',
    'upload_view',
    'download_clicked',
    'page_viewed',
    'cookie_consent_updated',
  ])('a browser may send %s', (name) => {
    expect(ofWeb).toContain(name);
  });

  test('only we know whether these happened', () => {
    expect(names.filter((name) => definitionOf(name).ownedByService).toSorted()).toEqual([
      'activation_complete',
      'export_downloaded',
      'first_render_completed',
      'identity_linked',
      'job_canceled',
      'job_completed_returning_user',
      'latency_bucket',
      'return_session',
      'upload_returning_user',
      'video_rendered',
      'webhook_endpoint_disabled',
      'webhook_endpoint_failing',
    ]);
  });

  test('what a browser sends is kept for 90 days, but for sign-ups, consent and the north star', () => {
    const lasting = ofWeb.filter((name) => definitionOf(name).retention === 'business');
    expect(lasting).toEqual(['signup_completed', 'download_clicked', 'cookie_consent_updated']);
  });
});

describe('the core value events are those of the document', () => {
  test.each(Object.entries(coreValueProperties))(
    '%s has its properties, types and optionality',
    (name, table) => {
      const { properties, required = [] } = describeEmitted(name as EventName);
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
      const { required = [] } = describeEmitted(name as EventName);
      const ours = required.filter((property) => table[property] === undefined);
      expect(ours).toEqual([]);
    },
  );

  test('the values that the document gives as examples are taken', () => {
    expect(describeEmitted('batch_completed').properties.jobType?.enum).toEqual(['campaign', 'csv_import']);
    expect(describeEmitted('export_downloaded').properties.exportType?.enum).toEqual(['zip', 'single_file']);
  });

  test('a batch of one of ours is no batch', () => {
    const one = { ...exampleProperties.batch_completed, totalItems: 1 };
    expect(strictSchemaOf('batch_completed').safeParse(one).success).toBe(false);
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
    // @ts-expect-error of ours, more is required than of a tenant's
    const ours: EventProperties<'processing_completed'> = { job_id: 'j' };
    // @ts-expect-error there is no such event
    const name: EventName = 'video_render';
    return [right, missing, mistyped, unknown, ours, name];
  };
  expect(compiled).toBeTypeOf('function');
});
