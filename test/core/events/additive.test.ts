import { describe, expect, test } from 'vitest';
import { destructiveChanges, type JsonSchema } from '../../../src/core/events/additive.ts';

const object = (properties: Record<string, JsonSchema>, more: Record<string, unknown> = {}): JsonSchema => ({
  type: 'object',
  properties,
  ...more,
});
const text: JsonSchema = { type: 'string' };
const nested = (inner: JsonSchema): JsonSchema =>
  object({ a: object({ list: { type: 'array', items: inner } }) });
const oneOf = (...types: string[]): JsonSchema => ({ anyOf: types.map((type) => ({ type })) });

describe('a schema may grow', () => {
  const additive: readonly [string, JsonSchema, JsonSchema][] = [
    ['not at all', object({ a: text }), object({ a: text })],
    ['by a property', object({ a: text }), object({ a: text, b: text })],
    [
      'by a property of a closed object',
      object({}, { additionalProperties: false }),
      object({ b: text }, { additionalProperties: false }),
    ],
    ['by a value', object({ a: { enum: ['x'] } }), object({ a: { enum: ['y', 'x'] } })],
    ['from one value to several', object({ a: { const: 'x' } }), object({ a: { enum: ['x', 'y'] } })],
    ['from several values to any', object({ a: { type: 'string', enum: ['x'] } }), object({ a: text })],
    ['from whole numbers to all', object({ a: { type: 'integer' } }), object({ a: { type: 'number' } })],
    ['to null', object({ a: text }), object({ a: { type: ['string', 'null'] } })],
    ['to any type', object({ a: text }), object({ a: {} })],
    ['to a choice that has what it was', object({ a: text }), object({ a: oneOf('string', 'null') })],
    [
      'from a choice to a wider one',
      object({ a: oneOf('string', 'null') }),
      object({ a: oneOf('null', 'number', 'string') }),
    ],
    [
      'out of a choice',
      object({ a: oneOf('string', 'integer') }),
      object({ a: { type: ['number', 'string'] } }),
    ],
    [
      'by wider bounds',
      object({ a: { type: 'number', minimum: 0, maximum: 1 } }),
      object({ a: { type: 'number', minimum: -1, maximum: 2 } }),
    ],
    ['by lost bounds', object({ a: { type: 'string', maxLength: 5, pattern: '^x' } }), object({ a: text })],
    [
      'by asking for less',
      object({ a: text, b: text }, { required: ['a', 'b'] }),
      object({ a: text, b: text }, { required: ['b'] }),
    ],
    ['by opening', object({ a: text }, { additionalProperties: false }), object({ a: text })],
    [
      'in what it says of itself',
      object({ a: text }, { title: 'A', $id: 'urn:a:1' }),
      object({ a: { ...(text as object), description: 'A' } }, { title: 'B', $id: 'urn:a:2' }),
    ],
    ['deep inside', nested(object({ x: text })), nested(object({ x: text, y: text }))],
    [
      'however its keys are ordered',
      { type: 'object', not: { a: 1, b: 2 } },
      { not: { b: 2, a: 1 }, type: 'object' },
    ],
    ['from nothing allowed', object({ a: false }), object({ a: text })],
  ];
  test.each(additive)('%s', (_what, older, newer) => {
    expect(destructiveChanges(older, newer)).toEqual([]);
  });
});

describe('a schema may not', () => {
  const destructive: readonly [string, JsonSchema, JsonSchema, RegExp][] = [
    ['lose a property', object({ a: text }), object({}), /^properties\.a is gone$/],
    ['lose all properties', object({ a: text }), { type: 'object' }, /^properties\.a is gone$/],
    [
      'have a property of another type',
      object({ a: text }),
      object({ a: { type: 'number' } }),
      /^properties\.a was string and is now number$/,
    ],
    [
      'go from all numbers to whole ones',
      object({ a: { type: 'number' } }),
      object({ a: { type: 'integer' } }),
      /was number and is now integer/,
    ],
    [
      'lose null',
      object({ a: { type: ['string', 'null'] } }),
      object({ a: text }),
      /was string or null and is now string/,
    ],
    [
      'lose a value',
      object({ a: { enum: ['x', 'y'] } }),
      object({ a: { enum: ['x'] } }),
      /properties\.a no longer takes "y"/,
    ],
    ['be another value', object({ a: { const: 'x' } }), object({ a: { const: 'y' } }), /no longer takes "x"/],
    [
      'be tied to values',
      object({ a: text }),
      object({ a: { type: 'string', enum: ['x'] } }),
      /takes only \["x"\]/,
    ],
    [
      'get a type where it had none',
      object({ a: {} }),
      object({ a: text }),
      /was of any type and is now string/,
    ],
    [
      'have a higher lower bound',
      object({ a: { minimum: 0 } }),
      object({ a: { minimum: 1 } }),
      /minimum was 0 and is now 1/,
    ],
    [
      'have a lower upper bound',
      object({ a: { maxLength: 9 } }),
      object({ a: { maxLength: 8 } }),
      /maxLength was 9 and is now 8/,
    ],
    [
      'get a bound',
      object({ a: { type: 'array' } }),
      object({ a: { type: 'array', minItems: 1 } }),
      /minItems was not set and is now 1/,
    ],
    [
      'get a format',
      object({ a: text }),
      object({ a: { type: 'string', format: 'uuid' } }),
      /format was not set and is now "uuid"/,
    ],
    ['have another pattern', object({ a: { pattern: 'a' } }), object({ a: { pattern: 'b' } }), /pattern/],
    [
      'ask for more',
      object({ a: text }),
      object({ a: text }, { required: ['a'] }),
      /^properties\.a was optional and is now required$/,
    ],
    [
      'ask for what is new',
      object({}),
      object({ b: text }, { required: ['b'] }),
      /properties\.b was optional and is now required/,
    ],
    [
      'close',
      object({ a: text }),
      object({ a: text }, { additionalProperties: false }),
      /^properties let other properties through and no longer does$/,
    ],
    [
      'restrict what it does not name',
      object({}),
      object({}, { additionalProperties: text }),
      /properties\.\* was of any type/,
    ],
    [
      'give a new name another type than it let through',
      object({}, { additionalProperties: text }),
      object({ b: { type: 'number' } }, { additionalProperties: text }),
      /properties\.b was string and is now number/,
    ],
    ['forbid a property', object({ a: text }), object({ a: false }), /properties\.a is no longer allowed/],
    [
      'lose a choice',
      object({ a: oneOf('string', 'null') }),
      object({ a: oneOf('string', 'number') }),
      /no longer takes \{"type":"null"\}/,
    ],
    [
      'narrow items deep inside',
      nested(object({ x: text })),
      nested(object({ x: { type: 'number' } })),
      /^properties\.a\.list\[\]\.x was string and is now number$/,
    ],
    [
      'change its list of items',
      object({ a: { items: [text] } }),
      object({ a: { items: [{ type: 'number' }] } }),
      /list of items has changed/,
    ],
    [
      'change what cannot be compared',
      { type: 'object', allOf: [text] },
      { type: 'object', allOf: [] },
      /allOf has changed/,
    ],
    [
      'change a choice of objects',
      object({ a: { anyOf: [object({ x: text })] } }),
      object({ a: { anyOf: [object({})] } }),
      /anyOf has changed/,
    ],
    [
      'hide a loss behind the names of a prototype',
      object({ constructor: text }),
      object({}),
      /properties\.constructor is gone/,
    ],
  ];
  test.each(destructive)('%s', (_what, older, newer, reason) => {
    const reasons = destructiveChanges(older, newer);
    expect(reasons).toEqual([expect.stringMatching(reason)]);
  });

  test('change several things without each being named', () => {
    const older = object({ a: text, b: text, c: { enum: [1, 2] } });
    const newer = object({ b: { type: 'null' }, c: { enum: [2] } }, { required: ['b'] });
    expect(destructiveChanges(older, newer)).toHaveLength(4);
  });
});

test('schemas as large and as deep as strangers may send them are compared in no time', () => {
  let deep: JsonSchema = text;
  for (let level = 0; level < 90; level += 1) deep = object({ a: deep });
  const wide = object(
    Object.fromEntries(Array.from({ length: 2_000 }, (_, n) => [`p${n}`, oneOf('string', 'null')])),
  );
  const begun = performance.now();
  expect(destructiveChanges(deep, deep)).toEqual([]);
  expect(destructiveChanges(wide, wide)).toEqual([]);
  expect(performance.now() - begun).toBeLessThan(1_000);
});
