import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { dateMark, reviveDates } from '../../src/core/revive-dates.ts';

const date = { type: 'string', format: 'date-time', [dateMark]: true };
const text = { type: 'string' };
const at = '2026-03-10T12:00:00.000Z';

describe('dates in props', () => {
  test.each([
    ['a marked property becomes a Date', { at }, { properties: { at: date } }, { at: new Date(at) }],
    ['text that looks like a time stays text', { at }, { properties: { at: text } }, { at }],
    [
      'items of a list',
      { all: [at, at] },
      { properties: { all: { items: date } } },
      { all: [new Date(at), new Date(at)] },
    ],
    [
      'inside of objects',
      { sale: { ends: at, name: 'x' } },
      { properties: { sale: { properties: { ends: date, name: text } } } },
      { sale: { ends: new Date(at), name: 'x' } },
    ],
    ['additional properties', { anything: at }, { additionalProperties: date }, { anything: new Date(at) }],
    [
      'a named property is not an additional one',
      { name: at, other: at },
      { properties: { name: text }, additionalProperties: date },
      { name: at, other: new Date(at) },
    ],
    ['what the schema does not know', { other: at }, { properties: { at: date } }, { other: at }],
    ['null where a date may be missing', { at: null }, { properties: { at: date } }, { at: null }],
    ['a union stays as it is', { at }, { properties: { at: { anyOf: [date, { type: 'null' }] } } }, { at }],
    ['a schema that permits everything', { at }, { additionalProperties: true }, { at }],
    ['an empty schema', { at, list: [1] }, {}, { at, list: [1] }],
  ])('%s', (_name, props, schema, expected) => {
    expect(reviveDates(props, schema)).toEqual(expected);
  });

  test('names that every object inherits are not mistaken for a schema', () => {
    const props = JSON.parse(`{"constructor":"${at}","toString":"${at}","hasOwnProperty":{"a":1}}`) as Record<
      string,
      unknown
    >;
    expect(reviveDates(props, { properties: {} })).toEqual(props);
  });

  test('without a mark anywhere every value stays what it was', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (props) => {
        const plain = JSON.parse(JSON.stringify(props)) as Record<string, unknown>;
        expect(reviveDates(plain, { additionalProperties: { items: {}, additionalProperties: {} } })).toEqual(
          plain,
        );
      }),
    );
  });
});
