/** The time that the schema of a composition may take for one request, and what is said once it is spent. */
import { describe, expect, test } from 'vitest';
import type { Composition } from '../../../src/domain/compositions/find-compositions.ts';
import { judgeVariants, refusalOf } from '../../../src/features/campaigns/judge-variants.ts';
import { compositionVersion, noon, times } from '../../support/factories.ts';
import { card } from '../csv-import/csv-form.ts';

const compositionOf = (id: string, schema: Record<string, unknown> | null): Composition => ({
  organization_id: 'o',
  version: compositionVersion,
  id,
  width: null,
  height: null,
  fps: null,
  duration_in_frames: null,
  has_calculate_metadata: false,
  default_props: {},
  props_schema: schema,
  schema_notes: [],
  registered_at: new Date(noon),
});
const slow = compositionOf('slow', {
  type: 'object',
  properties: { text: { type: 'string', pattern: '^(a+)+$' } },
});
/** Each takes a hundredth of a second, and misfits in time. */
const slowVariants = times(1_000, (index) => ({
  name: `v${index}`,
  props: { text: `${'a'.repeat(20)}!` },
}));
const staying = new AbortController().signal;

describe('variants', () => {
  test('whose schema judges each in time, and takes minutes for all, are refused after a second of it', async () => {
    const judgement = await judgeVariants(slow, slowVariants, staying);
    expect(judgement.judged).toBeGreaterThan(0);
    expect(judgement.judged).toBeLessThan(800);
    expect(judgement).toMatchObject({ count: judgement.judged, variants: judgement.judged, of: 1_000 });
    expect(refusalOf(slow, judgement)).toMatchObject({
      code: 'invalid_props',
      message: expect.stringMatching(
        /^The props of \d+ variant.* Only the first \d+ of 1000 variants were judged: .*"slow" may take 1000 ms of processor time, and 0\.1 ms more .*backtracks without end, or send fewer/,
      ),
      details: { judged: judgement.judged },
    });
  });

  test('that fit as far as they were judged are refused all the same', async () => {
    const judgement = await judgeVariants(slow, [{ name: 'a', props: { text: 'a' } }], staying);
    expect(refusalOf(slow, judgement)).toBeUndefined();
    expect(refusalOf(slow, { ...judgement, of: 2 })).toMatchObject({
      message: expect.stringMatching(/^Only the first 1 of 2 variants/),
    });
  });

  test('of an ordinary schema have time enough, ten thousand and more', async () => {
    const { productName: _, ...rest } = card.defaultProps;
    const variants = times(20_000, (index) => ({
      name: `v${index}`,
      props: { ...rest, productName: `Lamp ${index}`, image: `https://cdn.example.com/${index}.png` },
    }));
    const judgement = await judgeVariants(compositionOf('card', card.propsSchema), variants, staying);
    expect(judgement).toMatchObject({ judged: 20_000, count: 0 });
  });

  test('are judged no further once their client has left', async () => {
    const leaving = new AbortController();
    const judging = judgeVariants(slow, slowVariants, leaving.signal);
    setImmediate(() => leaving.abort(new Error('left')));
    await expect(judging).rejects.toThrow('left');
  });
});
