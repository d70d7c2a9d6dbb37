import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, test } from 'vitest';
import { describeCatalog, eventJsonSchema } from '../../../src/core/events/json-schema.ts';
import { validateProperties } from '../../../src/core/events/validate-properties.ts';
import { exampleProperties } from './example-properties.ts';

const ajv = new Ajv2020({ strict: true, allowUnionTypes: true });
addFormats.default(ajv);
const catalog = describeCatalog();

describe('the JSON Schema of an event', () => {
  test.each(catalog.map((event) => [event.name, event] as const))(
    '%s is one that validators take, and says the same as we do',
    (name, { schema }) => {
      const validate = ajv.compile({ ...schema });
      const example: Record<string, unknown> = { ...exampleProperties[name], unnamed: [1] };
      expect(validate(example), JSON.stringify(validate.errors)).toBe(true);
      for (const property of Object.keys(schema.properties)) {
        const { [property]: _left, ...rest } = example;
        for (const given of [rest, { ...rest, [property]: { not: 'this' } }, { ...rest, [property]: -1.5 }])
          expect(validate(given), `${property} of ${JSON.stringify(given)}`).toBe(
            validateProperties(name, given).ok,
          );
      }
    },
  );

  test('has an id of its own for each version, a title and a description, and lets more through', () => {
    expect(new Set(catalog.map(({ schema }) => schema.$id)).size).toBe(catalog.length);
    expect(eventJsonSchema('cta_click')).toMatchObject({
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      $id: 'urn:rendermill:event:cta_click:1',
      title: 'cta_click',
      type: 'object',
      additionalProperties: true,
    });
    expect(eventJsonSchema('processing_completed').required).toEqual(['job_id']);
  });

  test('is free of what says nothing', () => {
    expect(eventJsonSchema('job_created').properties).toMatchObject({
      timestamp: { type: 'string', format: 'date-time', description: expect.any(String) },
      video_bytes: { type: 'integer', minimum: 0 },
    });
    expect(JSON.stringify(catalog)).not.toContain(String(Number.MAX_SAFE_INTEGER));
    expect(eventJsonSchema('recipe_created').properties.parent_recipe_id?.type).toEqual([
      'string',
      'integer',
      'null',
    ]);
  });
});

describe('the description of the catalog', () => {
  const of = (name: string) => catalog.find((event) => event.name === name);

  test('tells who may send an event, where it goes, and where it stands', () => {
    expect(of('processing_completed')).toMatchObject({
      aliases: ['job_completed'],
      family: 'jobs',
      schemaVersion: 1,
      sources: ['server', 'worker'],
      retention: 'business',
      stage: 'Value',
      northStar: 'First Value',
      ownedByService: false,
      countsUse: true,
      sinks: { posthog: 'processing_completed', meta: { event: 'AddToCart', firstOnly: true } },
    });
    expect(of('page_viewed')?.sinks).toEqual({ posthog: '$pageview', meta: null });
    expect(of('video_rendered')).toMatchObject({ ownedByService: true, stage: null, northStar: null });
  });

  test('is plain JSON', () => {
    expect(JSON.parse(JSON.stringify(catalog))).toEqual(catalog);
  });
});
