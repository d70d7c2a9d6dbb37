import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import {
  type Composition,
  findVersion,
  getBundle,
  getComposition,
  listCompositions,
} from '../../../src/domain/compositions/find-compositions.ts';
import {
  judgeProps,
  judgeSomeProps,
  type PropsReason,
  validateProps,
} from '../../../src/domain/compositions/validate-props.ts';
import {
  compositionVersion,
  createOrganization,
  exampleComposition,
  noon,
  openTestDatabase,
  registerCompositions,
} from '../../support/factories.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const plus = (milliseconds: number) => new Date(new Date(noon).getTime() + milliseconds);
const newer = 'ffeeddccbbaa9988';

const withSchema = async (
  propsSchema: Record<string, unknown> | null,
  defaultProps: Record<string, unknown> = {},
) => {
  const organizationId = await createOrganization(db);
  await registerCompositions(db, organizationId, {
    compositions: [{ ...exampleComposition, propsSchema, defaultProps }],
  });
  return getComposition(db, organizationId, 'hero-ad', undefined);
};

describe('a composition', () => {
  test('is taken from the newest version, or from the one that was named', async () => {
    const organizationId = await createOrganization(db);
    await registerCompositions(db, organizationId);
    await registerCompositions(db, organizationId, {
      version: newer,
      compositions: [exampleComposition],
      at: plus(1000),
    });
    expect(await getComposition(db, organizationId, 'hero-ad', undefined)).toMatchObject({ version: newer });
    expect(await getComposition(db, organizationId, 'hero-ad', compositionVersion)).toMatchObject({
      version: compositionVersion,
    });
    expect(await getComposition(db, organizationId, 'open', undefined)).toMatchObject({
      version: compositionVersion,
    });
  });

  test('of an old version is the newest again once that is registered again: so one rolls back', async () => {
    const organizationId = await createOrganization(db);
    await registerCompositions(db, organizationId);
    await registerCompositions(db, organizationId, { version: newer, at: plus(1000) });
    await registerCompositions(db, organizationId, { at: plus(2000) });
    expect(await getComposition(db, organizationId, 'hero-ad', undefined)).toMatchObject({
      version: compositionVersion,
    });
    expect(await listCompositions(db, organizationId)).toHaveLength(6);
  });

  test('that is not there says which are', async () => {
    const organizationId = await createOrganization(db);
    await expect(getComposition(db, organizationId, 'nope', undefined)).rejects.toMatchObject({
      code: 'composition_not_found',
      message: expect.stringContaining('None is registered yet'),
    });
    await registerCompositions(db, organizationId, { compositions: [exampleComposition] });
    await expect(getComposition(db, organizationId, 'nope', undefined)).rejects.toMatchObject({
      message: 'There is no composition "nope". Registered: hero-ad.',
      details: { compositionId: 'nope', registered: ['hero-ad'] },
    });
    await expect(getComposition(db, organizationId, 'hero-ad', newer)).rejects.toMatchObject({
      code: 'composition_not_found',
    });
  });

  test('of another organization is not there', async () => {
    const [one, other] = [await createOrganization(db), await createOrganization(db)];
    await registerCompositions(db, one);
    await expect(getComposition(db, other, 'hero-ad', undefined)).rejects.toMatchObject({
      code: 'composition_not_found',
    });
    await expect(getBundle(db, other, compositionVersion)).rejects.toMatchObject({
      code: 'composition_not_found',
    });
    expect(await findVersion(db, other, compositionVersion)).toBeUndefined();
  });

  test('comes back as it was registered', async () => {
    const organizationId = await createOrganization(db);
    await registerCompositions(db, organizationId, { compositions: [exampleComposition] });
    expect(await findVersion(db, organizationId, compositionVersion)).toEqual({
      compositions: [exampleComposition],
    });
    expect(await getBundle(db, organizationId, compositionVersion)).toMatchObject({ size_in_bytes: 1000 });
  });

  test('that is gone from a version when it is registered again is gone', async () => {
    const organizationId = await createOrganization(db);
    await registerCompositions(db, organizationId);
    await registerCompositions(db, organizationId, { compositions: [] });
    expect(await listCompositions(db, organizationId)).toEqual([]);
  });
});

describe('props', () => {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    type: 'object',
    properties: {
      title: { type: 'string', maxLength: 5 },
      size: { type: 'integer', minimum: 1 },
      colour: { enum: ['red', 'blue'] },
      at: { type: 'string', format: 'date-time' },
      list: { type: 'array', items: { type: 'object', properties: { 'a/b': { type: 'number' } } } },
    },
    required: ['title'],
    additionalProperties: false,
  };

  test.each([
    ['the wrong type', { title: 5 }, [{ path: 'props.title', reason: 'must be string' }]],
    ['a missing one', {}, [{ path: 'props.title', reason: 'is required' }]],
    [
      'an unknown one',
      { title: 'a', x: 1 },
      [{ path: 'props.x', reason: 'is not a property of this composition' }],
    ],
    [
      'a value that is not allowed',
      { title: 'a', colour: 'green' },
      [{ path: 'props.colour', reason: 'must be equal to one of the allowed values: red, blue' }],
    ],
    [
      'too long',
      { title: 'abcdef' },
      [{ path: 'props.title', reason: 'must NOT have more than 5 characters' }],
    ],
    ['too small', { title: 'a', size: 0 }, [{ path: 'props.size', reason: 'must be >= 1' }]],
    [
      'no time',
      { title: 'a', at: 'tomorrow' },
      [{ path: 'props.at', reason: 'must match format "date-time"' }],
    ],
    [
      'deep inside',
      { title: 'a', list: [{}, { 'a/b': 'x' }] },
      [{ path: 'props.list.1.a/b', reason: 'must be number' }],
    ],
    [
      'several',
      { size: 0 },
      [
        { path: 'props.title', reason: 'is required' },
        { path: 'props.size', reason: 'must be >= 1' },
      ],
    ],
  ])('with %s are refused with path and reason', async (_name, props, reasons) => {
    const composition = await withSchema(schema);
    try {
      validateProps(composition, props);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_props', details: { compositionId: 'hero-ad', reasons } });
    }
  });

  test('that are not given are taken from the defaults', async () => {
    const composition = await withSchema(schema, { title: 'Hi' });
    expect(() => validateProps(composition, {})).not.toThrow();
    expect(() => validateProps(composition, { title: 5 })).toThrow();
  });

  test('of a composition without a schema may be anything', async () => {
    expect(() =>
      validateProps({ ...exampleRow, props_schema: null }, { anything: [1, { goes: true }] }),
    ).not.toThrow();
  });

  test.each([
    ['answer later', { ...schema, $async: true }],
    ['answer later in a part', { ...schema, properties: { title: { $async: true, type: 'string' } } }],
    ['take the name of another', { ...schema, $id: 'https://example.com/a' }],
  ])('are judged here and now by a schema that asks to %s', async (_what, tricky) => {
    const composition = await withSchema(tricky);
    expect(() => validateProps(composition, { title: 5 })).toThrow(/props\.title must be string/);
    expect(() => validateProps(composition, { title: 5 })).toThrow(/props\.title must be string/);
  });

  test('of a property that is called as a keyword are judged as any other', async () => {
    const composition = await withSchema({ type: 'object', properties: { $id: { type: 'number' } } });
    expect(() => validateProps(composition, { $id: 'five' })).toThrow(/props\.\$id must be number/);
  });

  test('that a pattern of the schema cannot judge in time are refused, and nobody else waits', async () => {
    const composition = await withSchema({
      type: 'object',
      properties: { text: { type: 'string', pattern: '^(a+)+$' } },
    });
    const startedAt = performance.now();
    expect(() => validateProps(composition, { text: `${'a'.repeat(40)}!` })).toThrow(/within 250 ms/);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(() => validateProps(composition, { text: 'aaa' })).not.toThrow();
  });

  test('name at most 20 reasons, however much is wrong', async () => {
    const composition = await withSchema({ type: 'object', additionalProperties: { type: 'string' } });
    const props = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`p${index}`, index]));
    try {
      validateProps(composition, props);
      expect.unreachable();
    } catch (error) {
      expect((error as { details: { reasons: unknown[] } }).details.reasons).toHaveLength(20);
    }
  });

  test('are held against the schema of their own version and organization, not of a namesake', async () => {
    const strict = await withSchema(schema);
    const loose = await withSchema({ type: 'object' });
    expect(() => validateProps(strict, { title: 5 })).toThrow();
    expect(() => validateProps(loose, { title: 5 })).not.toThrow();
    expect(() => validateProps(strict, { title: 5 })).toThrow();
  });
});

const exampleRow = {
  organization_id: 'o',
  version: compositionVersion,
  id: 'hero-ad',
  width: null,
  height: null,
  fps: null,
  duration_in_frames: null,
  has_calculate_metadata: false,
  default_props: {},
  props_schema: null,
  schema_notes: [],
  registered_at: new Date(noon),
};

describe('props of many', () => {
  /** As many as there are, in as many looks as it takes. */
  const judgeAll = (composition: Composition, many: readonly Record<string, unknown>[]) => {
    const answers: (readonly PropsReason[] | null)[] = [];
    while (answers.length < many.length)
      answers.push(...judgeSomeProps(composition, many.slice(answers.length)));
    return answers;
  };
  const schema = {
    type: 'object',
    properties: { title: { type: 'string', maxLength: 5 }, size: { type: 'integer' } },
    required: ['title'],
  };
  const props = fc.record(
    { title: fc.oneof(fc.string(), fc.integer()), size: fc.float() },
    { requiredKeys: [] },
  );

  test('are judged as each of them alone, reasons and defaults included', async () => {
    const composition = await withSchema(schema, { size: 3 });
    fc.assert(
      fc.property(fc.array(props, { maxLength: 50 }), (many) => {
        expect(judgeAll(composition, many)).toEqual(many.map((one) => judgeProps(composition, one)));
      }),
    );
  });

  test('of which one cannot be judged in time: only that one', async () => {
    const composition = await withSchema({
      type: 'object',
      properties: { title: { type: 'string', pattern: '^(a+)+$' } },
    });
    const endless = { title: `${'a'.repeat(40)}!` };
    const answers = judgeAll(composition, [
      { title: 'a' },
      { title: 'b' },
      endless,
      { title: 'aa' },
      { title: 7 },
    ]);
    expect(answers.map((one) => one?.length ?? null)).toEqual([0, 1, null, 0, 1]);
  });

  test('are all taken where there is no schema', async () => {
    expect(judgeAll(await withSchema(null), [{ a: 1 }, {}])).toEqual([[], []]);
  });
});
