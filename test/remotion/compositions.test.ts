import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CATALOG } from '../../remotion/catalog.ts';
import { heroAdDefaults, heroAdSchema } from '../../remotion/hero-ad/schema.ts';
import { formatDiscount, formatPrice, formatRating } from '../../remotion/product-card/price.ts';
import { productCardDefaults, productCardSchema } from '../../remotion/product-card/schema.ts';
import { planScenes, promoDurationInFrames } from '../../remotion/promo-video/plan-scenes.ts';
import { promoVideoDefaults, promoVideoSchema } from '../../remotion/promo-video/schema.ts';
import { shapeOf } from '../../remotion/shared/canvas.ts';
import { contrast, inkOn } from '../../remotion/shared/colour.ts';
import { directionOfLocale, directionOfText, tracking } from '../../remotion/shared/writing.ts';

const COMPOSITIONS = Object.values(CATALOG);

describe('the catalog', () => {
  it('gives every composition an id of its own, of the letters that Remotion allows', () => {
    const ids = COMPOSITIONS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(id).toMatch(/^[a-zA-Z0-9-]+$/);
  });

  it.each(COMPOSITIONS)('$id: the default props pass the schema unchanged', ({ schema, defaultProps }) => {
    expect((schema as z.ZodType).parse(defaultProps)).toEqual(defaultProps);
  });

  it.each(COMPOSITIONS)(
    '$id: every field is described, and the schema can be written as JSON Schema',
    ({ schema }) => {
      for (const [name, field] of Object.entries(schema.shape)) expect(field.description, name).toBeTruthy();
      expect(z.toJSONSchema(schema)).toMatchObject({ type: 'object', additionalProperties: false });
    },
  );

  it.each(COMPOSITIONS)('$id: a property that nobody knows is refused', ({ schema, defaultProps }) => {
    expect(schema.safeParse({ ...defaultProps, colour: 'red' }).success).toBe(false);
  });
});

describe('schema bounds', () => {
  it.each([
    ['an empty headline', { headline: '  ' }],
    ['a headline of 91 letters', { headline: 'x'.repeat(91) }],
    ['a colour by name', { accentColor: 'tomato' }],
    ['an unknown palette', { palette: 'neon' }],
    ['an image outside of the public folder', { image: '../secret.png' }],
    ['an image by file URL', { image: 'file:///etc/passwd.png' }],
  ])('the hero ad refuses %s', (_, change) => {
    expect(heroAdSchema.safeParse({ ...heroAdDefaults, ...change }).success).toBe(false);
  });

  it.each(['shoe.png', 'campaign/shoe 2.webp', 'https://example.com/a?b=c', 'data:image/png;base64,AAAA'])(
    'the hero ad takes the image %s',
    (image) => expect(heroAdSchema.safeParse({ ...heroAdDefaults, image }).success).toBe(true),
  );

  it.each([
    ['a negative price', { price: -1 }],
    ['a price as text', { price: '129' }],
    ['a currency in small letters', { currency: 'eur' }],
    ['a currency that does not exist', { currency: 'ZZZ' }],
    ['a locale that is none', { locale: 'english please' }],
    ['six stars', { rating: { value: 6 } }],
    ['a badge that no sticker holds', { badge: 'x'.repeat(17) }],
  ])('the product card refuses %s', (_, change) => {
    expect(productCardSchema.safeParse({ ...productCardDefaults, ...change }).success).toBe(false);
  });

  it.each([
    ['no scene', { scenes: [] }],
    ['seven scenes', { scenes: Array.from({ length: 7 }, () => ({ headline: 'x' })) }],
    ['a video of an hour', { durationInSeconds: 3600 }],
    ['a video of nothing', { durationInSeconds: 0 }],
  ])('the promo video refuses %s', (_, change) => {
    expect(promoVideoSchema.safeParse({ ...promoVideoDefaults, ...change }).success).toBe(false);
  });
});

describe('direction', () => {
  it.each([
    ['en-US', 'ltr'],
    ['de', 'ltr'],
    ['ja-JP', 'ltr'],
    ['ar-EG', 'rtl'],
    ['he', 'rtl'],
    ['fa-IR', 'rtl'],
    ['ur', 'rtl'],
    ['az', 'ltr'],
    ['az-Arab', 'rtl'],
  ])('%s is %s', (locale, direction) => expect(directionOfLocale(locale)).toBe(direction));

  it.each([
    ['Design it once', 'ltr'],
    ['صمّمها مرة واحدة', 'rtl'],
    ['24/7 אור', 'rtl'],
    ['100%', 'ltr'],
  ])('the text "%s" is %s', (text, direction) => expect(directionOfText(text)).toBe(direction));

  it('never spaces out the joined letters of Arabic', () => {
    expect(tracking('ضوء', -0.03)).toBe('0');
    expect(tracking('Light', -0.03)).toBe('-0.03em');
  });
});

describe('prices', () => {
  /** Without the marks that only steer direction, and with plain spaces. */
  const visible = (text: string) => text.replace(/[\u200e\u200f\u061c]/g, '').replace(/[\u00a0\u202f]/g, ' ');

  it.each([
    [129, 'EUR', 'en-IE', '€129'],
    [129.9, 'EUR', 'de-DE', '129,90 €'],
    [1299.95, 'EUR', 'de-DE', '1.299,95 €'],
    [1299.5, 'USD', 'en-US', '$1,299.50'],
    [19800, 'JPY', 'ja-JP', '￥19,800'],
    [4299.5, 'EGP', 'ar-EG', '٤٬٢٩٩٫٥٠ ج.م.'],
    [489, 'ILS', 'he-IL', '489 ₪'],
    [12.5, 'KWD', 'en-US', 'KWD 12.500'],
  ])('%d %s in %s is %s', (price, currency, locale, text) => {
    expect(visible(formatPrice(price, currency, locale))).toBe(text);
  });

  it.each([
    [80, 100, 'en', '−20%'],
    [129, 159, 'de', '−18 %'],
    [100, 80, 'en', null],
    [99.9, 100, 'en', null],
    [80, undefined, 'en', null],
  ])('%d instead of %s in %s gets the sticker %s', (price, oldPrice, locale, text) => {
    const discount = formatDiscount(price, oldPrice, locale);
    expect(discount === null ? null : visible(discount)).toBe(text);
  });

  it('writes ratings with one decimal of the locale', () => expect(formatRating(5, 'de')).toBe('5,0'));
});

describe('the promo video', () => {
  it('lasts exactly six seconds by default, and otherwise as long as its scenes need or the caller says', () => {
    expect(promoDurationInFrames(promoVideoDefaults.scenes.length, 30, undefined)).toBe(180);
    expect(CATALOG.promoVideo.durationInFrames).toBe(180);
    expect(promoDurationInFrames(6, 30, undefined)).toBe(300);
    expect(promoDurationInFrames(2, 30, 12.5)).toBe(375);
  });

  it.each([
    [180, 30, 3],
    [90, 30, 6],
    [900, 30, 1],
    [151, 25, 4],
  ])('%d frames at %d fps hold %d scenes and an outro without a gap', (frames, fps, count) => {
    const { scenes, outro } = planScenes(frames, fps, count);
    let next = 0;
    for (const span of [...scenes, outro]) {
      expect(span.from).toBe(next);
      expect(span.durationInFrames).toBeGreaterThan(0);
      next += span.durationInFrames;
    }
    expect(next).toBe(frames);
  });
});

describe('pictures', () => {
  it.each([
    [1080, 1080, 'square'],
    [300, 250, 'square'],
    [1920, 1080, 'wide'],
    [1200, 628, 'wide'],
    [1080, 1920, 'tall'],
    [160, 600, 'skyscraper'],
    [728, 90, 'banner'],
  ])('%dx%d is laid out as %s', (width, height, shape) => expect(shapeOf(width, height)).toBe(shape));

  it('writes on any accent colour with a contrast of at least 4.5', () => {
    for (const accent of ['#f2603c', '#ffffff', '#000000', '#777777', '#1a43c8', '#f2b632']) {
      expect(contrast(accent, inkOn(accent))).toBeGreaterThanOrEqual(4.5);
    }
  });
});

it('every font file has its licence text beside it', () => {
  const folder = new URL('../../remotion/public/fonts/', import.meta.url);
  const overview = readFileSync(new URL('LICENSES.md', folder), 'utf8');
  const licences = [...overview.matchAll(/`(licenses\/[^`]+\.txt)`/g)].map(([, path]) => path ?? '');
  expect(licences.length).toBeGreaterThan(0);
  for (const path of licences) expect(existsSync(new URL(path, folder)), path).toBe(true);
});
