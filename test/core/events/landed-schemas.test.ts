import { describe, expect, test } from 'vitest';
import { readLandedSchemas } from '../../../scripts/support/event-schemas-page.ts';
import { type EventJsonSchema, eventJsonSchema } from '../../../src/core/events/json-schema.ts';
import { destructionsOf, landCatalog } from '../../../src/core/events/landed-schemas.ts';

const current = eventJsonSchema('cta_click');
const withProperties = (properties: EventJsonSchema['properties']): EventJsonSchema => ({
  ...current,
  properties,
});
const { cta: _cta, ...withoutOne } = current.properties;
const grown = withProperties({ ...current.properties, more: { type: 'string' } });

test('the catalog takes nothing back of what has landed: docs/event-schemas.json', () => {
  expect(destructionsOf(readLandedSchemas())).toEqual([]);
});

describe('against what has landed', () => {
  test('an addition is let through, with the next `npm run docs`', () => {
    const landed = { cta_click: { '1': withProperties(withoutOne) } };
    expect(destructionsOf(landed)).toEqual([]);
    expect(landCatalog(landed).cta_click).toEqual({ '1': current });
  });

  test('a destructive change is refused, in a sentence that says what, where and what to do', () => {
    expect(destructionsOf({ cta_click: { '1': grown } })).toEqual([
      'cta_click: properties.more is gone. Version 1 has landed so: leave it as it was, and give what is new a name of its own.',
    ]);
  });

  test('an older version counts as well as the current one, and stays', () => {
    const landed = { cta_click: { '0': grown, '1': current } };
    expect(destructionsOf(landed)).toEqual([expect.stringContaining('Version 0 has landed so')]);
    expect(landCatalog(landed).cta_click).toEqual(landed.cta_click);
  });

  test('an event that is gone is refused', () => {
    const landed = { cta_tapped: { '1': current }, constructor: { '1': current } };
    expect(destructionsOf(landed)).toEqual([
      expect.stringMatching(/^cta_tapped has landed and is gone/),
      expect.stringMatching(/^constructor has landed and is gone/),
    ]);
  });

  test('a version that goes back is refused', () => {
    expect(destructionsOf({ cta_click: { '1': current, '2': current } })).toEqual([
      'cta_click is of version 1 and has landed as 2: versions only grow.',
    ]);
  });
});
