import { expect, test } from 'vitest';
import { createTenant, openTestApi, refusalOf } from '../../support/api.ts';
import {
  createKey,
  createOrganization,
  exampleComposition,
  noon,
  registerCompositions,
} from '../../support/factories.ts';

const api = await openTestApi();

test('the compositions are listed with size, length and schema, newest version first and marked', async () => {
  const organizationId = await createOrganization(api.db);
  const { key } = await createKey(api.db, organizationId);
  await registerCompositions(api.db, organizationId, { compositions: [exampleComposition] });
  const at = new Date('2026-03-11T00:00:00.000Z');
  await registerCompositions(api.db, organizationId, {
    version: 'ffeeddccbbaa9988',
    compositions: [{ ...exampleComposition, propsSchema: null }],
    at,
  });
  const response = await api.call('/api/compositions', { key });
  expect(response.status).toBe(200);
  const { id, width, height, fps, durationInFrames, hasCalculateMetadata, defaultProps, schemaNotes } =
    exampleComposition;
  const own = { id, width, height, fps, durationInFrames, hasCalculateMetadata, defaultProps, schemaNotes };
  expect(await response.json()).toEqual({
    compositions: [
      {
        ...own,
        version: 'ffeeddccbbaa9988',
        newest: true,
        validated: false,
        propsSchema: null,
        registeredAt: at.toISOString(),
      },
      {
        ...own,
        version: '00112233aabbccdd',
        newest: false,
        validated: true,
        propsSchema: exampleComposition.propsSchema,
        registeredAt: noon,
      },
    ],
  });
});

test('another organization sees its own only', async () => {
  await createTenant(api);
  const { key } = await createKey(api.db, await createOrganization(api.db));
  expect(await (await api.call('/api/compositions', { key })).json()).toEqual({ compositions: [] });
});

test('without a key it is 401, with a publishable one 403', async () => {
  const { key } = await createKey(api.db, await createOrganization(api.db), 'publishable');
  expect(await refusalOf(await api.call('/api/compositions'))).toMatchObject({ status: 401 });
  expect(await refusalOf(await api.call('/api/compositions', { key }))).toMatchObject({ status: 403 });
});
