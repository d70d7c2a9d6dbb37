import { expect, test } from 'vitest';
import { campaignRequestSchema, readCampaignRequest } from '../../src/core/campaign-request.ts';

const order = {
  userId: 'ada',
  projectId: 'launch',
  compositionId: 'product-card',
  format: 'png',
  sizes: [{ name: 'square', width: 1080, height: 1080 }],
};
const variant = (name: unknown, more: object = {}) => ({ name, props: { title: 'x' }, ...more });
const read = (body: unknown) => readCampaignRequest(body, async () => undefined);

test('a campaign that is read variant by variant is what its schema makes of it', async () => {
  const body = {
    ...order,
    variants: [variant(' lamp '), { name: 'plain' }, variant('lamp', { locale: 'de' })],
  };
  expect(await read(body)).toEqual({ type: 'valid', request: campaignRequestSchema.parse(body) });
});

test.each([
  ['no object', 'text'],
  ['no variants', order],
  ['none', { ...order, variants: [] }],
  ['an unknown field', { ...order, extra: 1, variants: [variant('a')] }],
  [
    'variants of other forms',
    { ...order, variants: [variant('a'), variant(7), 'b', variant('c', { x: 1 })] },
  ],
  ['one name twice', { ...order, variants: [variant('a'), variant('A'), variant('b')] }],
  ['a format of another kind', { ...order, format: 'mp4', variants: [variant('a')] }],
  ['props that cannot be kept', { ...order, variants: [variant('a', { props: { deep: '\0' } })] }],
])('one with %s is refused with the words of its schema', async (_what, body) => {
  const expected = campaignRequestSchema
    .safeParse(body)
    .error?.issues.map(({ path, message }) => ({ path, message }));
  const found = await read(body);
  expect(found.type === 'invalid' && found.issues.map(({ path, message }) => ({ path, message }))).toEqual(
    expected,
  );
});

test('a hundred wrong variants are enough, and others have their turn after each', async () => {
  const wrong = await read({ ...order, variants: Array(500).fill(variant(7)) });
  expect(wrong.type === 'invalid' && wrong.issues).toHaveLength(100);
  let pauses = 0;
  await readCampaignRequest(
    { ...order, variants: Array.from({ length: 30 }, (_, n) => variant(`v${n}`)) },
    async () => {
      pauses += 1;
    },
  );
  expect(pauses).toBe(30);
});
