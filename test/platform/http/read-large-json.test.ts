import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readLargeJson } from '../../../src/platform/http/read-large-json.ts';

const read = (text: string, { mostBytes = 1_000_000, most = 1_000, onPause = () => {} } = {}) =>
  readLargeJson(Buffer.from(text), {
    list: 'variants',
    most,
    mostBytes,
    parse: JSON.parse,
    pause: async () => onPause(),
  });

describe('a large body', () => {
  test('is read as JSON.parse reads it, whatever is in it and however it is written', async () => {
    const json = fc.jsonValue();
    const body = fc.record(
      { userId: json, 'a"b': json, other: json, variants: fc.oneof(fc.array(json), json) },
      { requiredKeys: [] },
    );
    const indent = fc.constantFrom(undefined, 1, '\t', '\r\n ');
    await fc.assert(
      fc.asyncProperty(body, indent, async (value, space) => {
        const text = JSON.stringify(value, null, space);
        expect(await read(text)).toEqual(JSON.parse(text));
      }),
      { numRuns: 500 },
    );
  });

  test.each([
    '{"variants":[]}',
    '{"variants" : [ ] , "a":"variants"}',
    '{"variants":[1,[2,{"variants":[3]}],"],[\\\\\\"{"]}',
    '{"a":{"variants":[1,2]},"variants":[{"a":"\\\\"},{"b":"\\""}]}',
    '{"variants":{"variants":[1]}}',
    '[{"variants":[1]}]',
    '"variants"',
    'null',
    '{"v\\u0061riants":[1,2]}',
    '\ufeff{"variants":[1]}'.slice(1),
  ])('such as %s is read as JSON.parse reads it', async (text) => {
    expect(await read(text)).toEqual(JSON.parse(text));
  });

  test.each([
    '{"variants":[1,]}',
    '{"variants":[,1]}',
    '{"variants":[1,,2]}',
    '{"variants":[1}',
    '{"variants":[1]',
    '{"variants":[{"a":1]}',
    '{"variants":[1]]}',
    '{"variants":[1]}}',
    '{"variants"[1]}',
    '{"variants":[1] [2]}',
    '{"variants":["a]}',
    '{"variants":[1],"variants":[2]}',
    '{"variants":[NaN]}',
    '{"variants"',
    '',
  ])('such as %s is refused', async (text) => {
    await expect(read(text)).rejects.toThrow(/JSON/);
  });

  test('may be large as a whole, but none of its elements, and nothing beside them', async () => {
    const large = `"${'x'.repeat(98)}"`;
    await expect(read(`{"variants":[${Array(50).fill(large)}]}`, { mostBytes: 100 })).resolves.toBeDefined();
    for (const text of [
      `{"variants":[1,${large}1]}`,
      `{"a":${large},"variants":[1]}`,
      `{"v\\u0061riants":[${large}]}`,
    ])
      await expect(read(text, { mostBytes: 100 })).rejects.toMatchObject({ code: 'payload_too_large' });
  });

  test('lets others have their turn after each element, and while it is looked through', async () => {
    let pauses = 0;
    await read(`{"variants":[1,2,3]}`, { onPause: () => (pauses += 1) });
    expect(pauses).toBe(3);
    pauses = 0;
    await read(`[${'1,'.repeat(300_000)}1]`, { onPause: () => (pauses += 1) });
    expect(pauses).toBe(2);
  });

  test.each([
    '{"variants":[1],"variants":null}',
    '{"variants":[1],"v\\u0061riants":[2,3]}',
    '{"variants":[\ufeff{}]}',
    '{"variants":[1, \ufeff2]}',
  ])('that a parser could read otherwise is refused: %s', async (text) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'invalid_json' });
  });

  test('with more elements than are taken is refused at the first that is too many', async () => {
    expect(await read('{"variants":[0,0,0]}', { most: 3 })).toEqual({ variants: [0, 0, 0] });
    // What follows is not looked at: it is no JSON.
    const refused = read('{"variants":[0,0,0,0,]]]', { most: 3 });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_request', details: { limit: 3 } });
  });
});
