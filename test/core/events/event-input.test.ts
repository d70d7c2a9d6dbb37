import { describe, expect, test } from 'vitest';
import { type EventInput, readEventInput } from '../../../src/core/events/event-input.ts';

const read = (given: unknown): EventInput => {
  const answer = readEventInput(given);
  if (answer.type === 'refused') throw new Error(answer.message);
  return answer.input;
};

const refusal = (given: unknown) => {
  const answer = readEventInput(given);
  if (answer.type === 'read') throw new Error('was read');
  return answer;
};

const nested = (levels: number): unknown =>
  JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`) as unknown;

describe('an event that comes', () => {
  test('may be a name and nothing else', () => {
    expect(read({ event: 'page_viewed' })).toEqual({
      name: 'page_viewed',
      properties: {},
      context: {},
      ignored: [],
    });
  });

  test('may be named as the activity document does', () => {
    expect(read({ eventName: 'button_clicked' })).toMatchObject({ name: 'button_clicked', ignored: [] });
  });

  test('may be a canonical event that was read from the log, in which null stands for nothing', () => {
    const input = read({
      id: '0196e8a0-0000-7000-8000-000000000000',
      event: 'page_viewed',
      timestamp: '2026-01-12T05:12:34.123Z',
      received_at: '2026-01-12T05:12:35.000Z',
      organization_id: 'acme',
      user_id: null,
      entity_type: null,
      entity_id: null,
      environment: 'prod',
      schema_version: 1,
      source: 'web',
    });
    expect(input).toMatchObject({ source: 'web', ignored: [] });
    expect(input).not.toHaveProperty('user_id');
  });

  test('has its ids trimmed', () => {
    expect(read({ event: ' page_viewed ', user_id: ' ann ' })).toMatchObject({
      name: 'page_viewed',
      user_id: 'ann',
    });
  });

  test('takes the session from the properties where the envelope has none', () => {
    expect(read({ event: 'landing_view', properties: { session_id: 's-1' } }).session_id).toBe('s-1');
    expect(
      read({ event: 'landing_view', session_id: 's-2', properties: { session_id: 's-1' } }).session_id,
    ).toBe('s-2');
  });

  test.each<[string, unknown, RegExp]>([
    ['no object', 'page_viewed', /must be an object/],
    ['null', null, /must be an object/],
    ['a list', [], /must be an object/],
    ['no name', {}, /^event: is missing/],
    ['a number for a name', { event: 1 }, /^event: /],
    ['a name that begins with _', { event: '__proto__' }, /^event: must begin with a letter/],
    ['a name of 101 characters', { event: 'a'.repeat(101) }, /^event: /],
    ['a name of two lines', { event: 'a\nb' }, /^event: /],
    ['an id that is no UUID', { event: 'a', id: '17' }, /^id: must be a UUID/],
    ['a number for a user', { event: 'a', user_id: 17 }, /^user_id: /],
    ['an empty user', { event: 'a', user_id: '  ' }, /^user_id: must not be empty/],
    ['an id of 201 characters', { event: 'a', distinct_id: 'a'.repeat(201) }, /^distinct_id: .* 200 /],
    ['an id of two lines', { event: 'a', session_id: 'a\nb' }, /^session_id: .*control/],
    ['half of an entity', { event: 'a', entity_id: '1' }, /entity_type and entity_id/],
    ['a time without a zone', { event: 'a', timestamp: '2026-01-12T05:12:34' }, /^timestamp: .*zone/],
    ['a day', { event: 'a', timestamp: '2026-01-12' }, /^timestamp: /],
    ['a source that there is not', { event: 'a', source: 'moon' }, /^source: /],
    ['version 0', { event: 'a', schema_version: 0 }, /^schema_version: /],
    ['properties that are a list', { event: 'a', properties: [1] }, /^properties: /],
    ['a context that is text', { event: 'a', context: 'web' }, /^context: /],
    ['a NUL', { event: 'a', properties: { a: 'x\0' } }, /U\+0000/],
    ['a NUL in a key', { event: 'a', properties: { 'x\0': 1 } }, /U\+0000/],
    ['half of a surrogate pair', { event: 'a', context: { a: ['\ud800'] } }, /surrogate/],
    ['a number beyond JSON', { event: 'a', properties: JSON.parse('{"a":1e999}') }, /too large/],
    ['101 levels', { event: 'a', properties: nested(101) }, /deeper than 100/],
    ['__proto__', { event: 'a', properties: JSON.parse('{"__proto__":{"x":1}}') }, /named __proto__/],
    ['__proto__ beside', JSON.parse('{"event":"a","__proto__":{"user_id":"ann"}}'), /named __proto__/],
    [
      'constructor far inside',
      { event: 'a', properties: { a: [{ b: JSON.parse('{"constructor":{}}') }] } },
      /constructor/,
    ],
  ])('is refused for %s', (_what, given, message) => {
    expect(refusal(given)).toMatchObject({
      code: 'event_malformed',
      message: expect.stringMatching(message),
    });
  });

  test('is refused with all of its reasons at once', () => {
    expect(refusal({ event: 'a', id: '17', user_id: 3, schema_version: 'x' }).message).toMatch(
      /id: .*user_id: .*schema_version: /,
    );
  });

  test('may have properties of 64 KB and a context of 16, counted in bytes', () => {
    const text = (bytes: number, character = 'x') => ({
      a: character.repeat((bytes - '{"a":""}'.length) / Buffer.byteLength(character)),
    });
    read({ event: 'a', properties: text(64 * 1024), context: text(16 * 1024) });
    read({ event: 'a', properties: text(64 * 1024, 'é') });
    const tooLarge = { code: 'event_too_large' };
    expect(refusal({ event: 'a', properties: text(64 * 1024 + 1) })).toMatchObject(tooLarge);
    expect(refusal({ event: 'a', properties: text(64 * 1024 + 2, 'é') })).toMatchObject(tooLarge);
    expect(refusal({ event: 'a', context: text(16 * 1024 + 1) })).toMatchObject(tooLarge);
  });
});

describe('where someone came from', () => {
  test('moves into the context from beside the envelope', () => {
    expect(
      read({ event: 'a', utm_source: 'facebook', fbclid: 'F', ad_id: '789', experiment_variant: 'b' }),
    ).toMatchObject({
      context: { utm_source: 'facebook', fbclid: 'F', ad_id: '789', experiment_variant: 'b' },
      properties: {},
      ignored: [],
    });
  });

  test('is copied from the properties, which keep it', () => {
    const properties = { utm_campaign: 'spring', page_path: '/app', plan: 'pro' };
    expect(read({ event: 'a', properties })).toMatchObject({
      context: { utm_campaign: 'spring', page_path: '/app' },
      properties,
    });
  });

  test('counts as the context says, then as the envelope does, then as the properties do', () => {
    expect(
      read({
        event: 'a',
        context: { utm_source: 'context' },
        utm_source: 'beside',
        utm_medium: 'beside',
        properties: { utm_source: 'inside', utm_medium: 'inside', utm_term: 'inside' },
      }).context,
    ).toEqual({ utm_source: 'context', utm_medium: 'beside', utm_term: 'inside' });
  });

  test('is left out where it is empty, nested or endless, and what means nothing beside the envelope is told', () => {
    expect(
      read({
        event: 'a',
        gclid: '',
        fbclid: { a: 1 },
        referrer: 'r'.repeat(2_001),
        colour: 'red',
        utm_source: null,
      }),
    ).toMatchObject({ context: {}, ignored: ['gclid', 'fbclid', 'referrer', 'colour'] });
  });
});
