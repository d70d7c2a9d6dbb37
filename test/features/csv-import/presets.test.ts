import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { productCardDefaults, productCardSchema } from '../../../remotion/product-card/schema.ts';
import { readAll } from './read-file.ts';

const fixture = (name: string) => readFile(new URL(`fixtures/${name}`, import.meta.url));

describe('an export of Shopify', () => {
  it('is a product for each handle, without its further variants and pictures', async () => {
    const { report, variants } = await readAll(await fixture('shopify.csv'), {
      preset: 'shopify',
      mapping: { currency: { default: 'EUR' } },
    });
    expect(report).toMatchObject({ rows: 3, accepted: 3, refused: 0, skipped: 3, problems: [] });
    expect(report.mapping).toEqual({
      currency: null,
      productName: 'Title',
      description: 'Body (HTML)',
      price: 'Variant Price',
      oldPrice: 'Variant Compare At Price',
      image: 'Image Src',
    });
    expect(variants).toEqual([
      {
        line: 2,
        name: 'merino-beanie',
        locale: null,
        props: {
          currency: 'EUR',
          productName: 'Merino Beanie',
          description: 'Knitted from extra-fine merino. Warm to −15 °C Machine washable & itch-free',
          price: 39,
          oldPrice: 49,
          image: 'https://cdn.example.com/files/beanie-rust.jpg?v=1',
        },
      },
      {
        line: 6,
        name: 'enamel-mug',
        locale: null,
        props: {
          currency: 'EUR',
          productName: 'Enamel Mug, 350 ml',
          description: 'Chips with dignity.',
          price: 18.5,
          oldPrice: 18.5,
          image: 'https://cdn.example.com/files/mug.jpg',
        },
      },
      {
        line: 7,
        name: 'gift-card',
        locale: null,
        props: { currency: 'EUR', productName: 'Gift Card', description: '', price: 25, oldPrice: 25 },
      },
    ]);
  });

  it('with the names of columns of 2025 is the same', async () => {
    const { report, variants } = await readAll(await fixture('shopify-2025.csv'), { preset: 'shopify' });
    expect(report).toMatchObject({ rows: 1, skipped: 1 });
    expect(variants).toMatchObject([
      {
        name: 'linen-apron',
        props: {
          productName: 'Linen Apron',
          description: 'Stone-washed linen.',
          price: 64,
          oldPrice: 80,
          image: 'https://cdn.example.com/files/apron.jpg',
        },
      },
    ]);
  });

  it('may have its mapping overridden', async () => {
    const { report, variants } = await readAll(await fixture('shopify.csv'), {
      preset: 'shopify',
      mapping: { description: 'SEO Description', badge: 'Type', image: null },
      nameColumn: 'Variant SKU',
    });
    expect(report.mapping).toMatchObject({ description: 'SEO Description', badge: 'Type' });
    expect(variants[0]).toMatchObject({ name: 'MB-RUST', props: { badge: 'Hats', price: 39 } });
    expect(variants[0]?.props).not.toHaveProperty('image');
  });
});

describe('an export of WooCommerce', () => {
  it('is a product for each row with a price: variations, and not what they vary', async () => {
    const { report, variants } = await readAll(await fixture('woocommerce.csv'), { preset: 'woocommerce' });
    expect(report).toMatchObject({ rows: 3, refused: 0, skipped: 2 });
    expect(variants.map(({ name, props }) => ({ name, ...props }))).toEqual([
      {
        name: 'woo-hoodie',
        productName: 'Hoodie with Logo',
        description: 'This is a simple product.',
        price: 39,
        oldPrice: 45.5,
        image: 'https://shop.example.com/hoodie.jpg',
      },
      {
        name: 'woo-album',
        productName: 'Album',
        description: 'Twelve songs.',
        price: 15,
        oldPrice: 15,
        image: 'https://shop.example.com/album.jpg',
      },
      {
        name: 'woo-vneck-blue',
        productName: 'V-Neck T-Shirt - Blue',
        description: '',
        price: 20,
        oldPrice: 20,
        image: 'https://shop.example.com/vneck-blue.jpg',
      },
    ]);
  });
});

describe('a feed of Google Merchant', () => {
  it('has prices with their currencies, and the sale price is what is asked for', async () => {
    const { report, variants } = await readAll(await fixture('google-merchant.tsv'), {
      preset: 'google-merchant',
    });
    expect(report).toMatchObject({
      delimiter: '\t',
      rows: 3,
      accepted: 2,
      problems: [{ line: 4, column: 'price', reason: 'names no currency, as in 19.99 USD', value: '49.90' }],
    });
    expect(variants.map(({ name, props }) => ({ name, ...props }))).toEqual([
      {
        name: 'TV_123456',
        productName: 'Waveform 4K TV, 55"',
        description: 'A screen that is dark when the film is.',
        price: 999,
        oldPrice: 1299,
        currency: 'USD',
        image: 'https://shop.example.com/tv.png',
      },
      {
        name: 'DI-9',
        productName: 'Desk Globe',
        description: 'Night side lit from within.',
        price: 49.9,
        oldPrice: 49.9,
        currency: 'EUR',
        image: 'https://shop.example.com/globe.png',
      },
    ]);
  });
});

describe('a preset', () => {
  it('cuts a long description to what the composition takes', async () => {
    const { variants } = await readAll(
      `Handle,Title,Body (HTML),Variant Price\na,A,<p>${'word '.repeat(100)}</p>,1\n`,
      {
        preset: 'shopify',
      },
    );
    const description = String(variants[0]?.props.description);
    expect(description).toMatch(/^(word )+word…$/);
    expect(description.length).toBeLessThanOrEqual(220);
  });

  it('refuses a product without a name or a price, which would show those of the composition itself', async () => {
    const { report } = await readAll('Handle,Title,Variant Price\na,A,\nb,,5\n', { preset: 'shopify' });
    expect(report.problems).toEqual([
      { line: 2, column: 'Variant Price', reason: 'is empty: a product needs a price' },
      { line: 3, column: 'Title', reason: 'is empty: a product needs a name' },
    ]);
  });

  it('fills a composition without a schema by the names of its fields', async () => {
    const { report } = await readAll(
      'id\ttitle\tprice\nx\tLamp\t5 USD\n',
      { preset: 'google-merchant' },
      {
        id: 'open',
        schema: null,
        defaults: {},
      },
    );
    expect(report.preview[0]?.props).toMatchObject({ name: 'Lamp', price: 5, currency: 'USD' });
  });
});

describe('the example composition', () => {
  const files = [
    ['shopify.csv', 'shopify'],
    ['shopify-2025.csv', 'shopify'],
    ['woocommerce.csv', 'woocommerce'],
    ['google-merchant.tsv', 'google-merchant'],
    ['../../../../remotion/examples/products.csv', 'none'],
  ] as const;
  it.each(files)('takes the rows of %s by its own schema', async (file, preset) => {
    const { variants } = await readAll(await fixture(file), { preset });
    expect(variants.length).toBeGreaterThan(0);
    for (const { props } of variants)
      expect(productCardSchema.safeParse({ ...productCardDefaults, ...props }).error?.issues).toBeUndefined();
  });
});
