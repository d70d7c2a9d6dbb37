import { describe, expect, it } from 'vitest';
import { findProp, listProps, schemaOfDefaults } from '../../../src/core/csv/describe-props.ts';
import { parsePropPath, setProp } from '../../../src/core/csv/prop-path.ts';

const kindsOf = (schema: object) =>
  Object.fromEntries(
    listProps(schema as Record<string, unknown>).map((prop) => [prop.name, prop.kinds.join('|')]),
  );

describe('props of a schema', () => {
  it('are told with those of objects, by path, and what they may be', () => {
    expect(
      kindsOf({
        type: 'object',
        properties: {
          name: { type: 'string' },
          price: {
            type: 'object',
            properties: { amount: { type: 'number' }, currency: { enum: ['EUR', 'USD'] } },
          },
          tags: { type: 'array', items: { type: 'string' } },
          stock: { type: ['integer', 'null'] },
          until: { type: 'string', format: 'date-time', 'x-rendermill-date': true },
          size: { anyOf: [{ type: 'number' }, { type: 'string' }, { type: 'null' }] },
          mode: { const: 3 },
          any: {},
        },
      }),
    ).toEqual({
      name: 'text',
      price: 'object',
      'price.amount': 'number',
      'price.currency': 'text',
      tags: 'list',
      stock: 'integer',
      until: 'date',
      size: 'number|text',
      mode: 'number',
      any: 'text',
    });
  });

  it('are found behind references and in intersections, and a schema that contains itself has an end', () => {
    const schema = {
      allOf: [{ $ref: '#/$defs/base' }, { type: 'object', properties: { b: { type: 'boolean' } } }],
      $defs: {
        base: { type: 'object', properties: { a: { type: 'integer' }, inner: { $ref: '#/$defs/base' } } },
        loop: { $ref: '#/$defs/loop' },
      },
      properties: { l: { $ref: '#/$defs/loop' } },
    };
    const kinds = kindsOf(schema);
    expect(kinds).toMatchObject({
      a: 'integer',
      b: 'boolean',
      inner: 'object',
      'inner.a': 'integer',
      l: 'text',
    });
    expect(Object.keys(kinds).length).toBeLessThan(30);
  });

  it('that a schema allows without naming them are found, those that it forbids are not', () => {
    const schema = {
      type: 'object',
      properties: {
        colours: { type: 'object', additionalProperties: { type: 'integer' } },
        name: { type: 'string' },
      },
      additionalProperties: false,
    };
    expect(findProp(schema, ['colours', 'red'])?.kinds).toEqual(['integer']);
    expect(findProp(schema, ['other'])).toBeNull();
    expect(findProp(schema, ['name', 'first'])).toBeNull();
  });

  it('of a composition without a schema are told by its defaults', () => {
    expect(kindsOf(schemaOfDefaults({ title: 'a', price: 1, on: true, list: [1], deep: { x: 1 } }))).toEqual({
      title: 'text',
      price: 'number',
      on: 'boolean',
      list: 'list',
      deep: 'object',
      'deep.x': 'number',
    });
  });
});

describe('the path of a prop', () => {
  it.each([
    '__proto__',
    'a.__proto__.b',
    'constructor',
    'a.prototype',
    '',
    'a..b',
    '.a',
    Array(11).fill('a').join('.'),
  ])('is not %j', (text) => {
    expect(parsePropPath(text)).toBeNull();
  });

  it('sets a value within objects, and nothing that all objects share', () => {
    const props: Record<string, unknown> = {};
    setProp(props, ['rating', 'value'], 4);
    setProp(props, ['rating', 'count'], 9);
    setProp(props, ['toString', 'x'], 1);
    expect(props).toEqual({ rating: { value: 4, count: 9 }, toString: { x: 1 } });
    expect({}.toString).toBe(Object.prototype.toString);
  });
});
