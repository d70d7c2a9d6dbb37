import { describe, expect, test } from 'vitest';
import { campaignRequestSchema } from '../../src/core/campaign-request.ts';

const order = {
  userId: 'u',
  projectId: 'p',
  compositionId: 'c',
  format: 'png',
  sizes: [{ name: 'square', width: 10, height: 10 }],
  variants: [{ name: 'a' }],
};
const pathsOf = (given: object): string[] => {
  const parsed = campaignRequestSchema.safeParse({ ...order, ...given });
  return parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('.'));
};

describe('a campaign', () => {
  test('is of stills that use files again, with no props, unless it says otherwise', () => {
    expect(campaignRequestSchema.parse(order)).toMatchObject({
      kind: 'still',
      reuse: true,
      variants: [{ name: 'a', props: {} }],
    });
  });

  test.each([
    ['fits', {}, []],
    [
      'two names that a file system takes for one',
      { variants: [{ name: 'A' }, { name: 'a' }] },
      ['variants.1.name'],
    ],
    [
      'one name in two locales',
      {
        variants: [
          { name: 'a', locale: 'en' },
          { name: 'a', locale: 'de' },
        ],
      },
      [],
    ],
    [
      'one name twice in a locale, whatever its case',
      {
        variants: [
          { name: 'a', locale: 'en-US' },
          { name: 'a', locale: 'en-us' },
        ],
      },
      ['variants.1.name'],
    ],
    ['a locale that is none', { variants: [{ name: 'a', locale: 'english!' }] }, ['variants.0.locale']],
    ['a name of two lines', { variants: [{ name: 'a\nb' }] }, ['variants.0.name']],
    ['a format of the other kind', { format: 'mp4' }, ['format']],
    ['no size', { sizes: [] }, ['sizes']],
  ])('%s', (_what, given, paths) => {
    expect(pathsOf(given)).toEqual(paths);
  });

  test('of a thousand names of one kind lists twenty', () => {
    expect(pathsOf({ variants: Array.from({ length: 1_000 }, () => ({ name: 'a' })) })).toHaveLength(20);
  });
});
