import { describe, expect, it } from 'vitest';
import { readAll } from './read-file.ts';

const open = { id: 'open', schema: null, defaults: { count: 1, title: 'x' } };

describe('columns', () => {
  it('fill the props of their own name, whatever their case and separators', async () => {
    const { report, variants } = await readAll(
      'Product Name,PRICE,rating.value,Rating Count,accent-color,other\nLamp,5,4.5,12,#ffffff,x\n',
    );
    expect(report.mapping).toEqual({
      productName: 'Product Name',
      price: 'PRICE',
      'rating.value': 'rating.value',
      'rating.count': 'Rating Count',
      accentColor: 'accent-color',
    });
    expect(variants[0]?.props).toEqual({
      productName: 'Lamp',
      price: 5,
      rating: { value: 4.5, count: 12 },
      accentColor: '#ffffff',
    });
  });

  it('of which two may be meant are refused, unless one has the very name', async () => {
    await expect(readAll('product name,product_name\na,b\n')).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/"product name", "product_name".*say which/),
    });
    expect((await readAll('product name,productName\na,b\n')).variants[0]?.props).toEqual({
      productName: 'b',
    });
  });

  it('that fill nothing at all are said beside what there is to fill', async () => {
    await expect(readAll('a;b\n1;2\n')).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/"a", "b".*"productName"/),
    });
  });

  it('may be mapped, have a default for empty cells, or be left out', async () => {
    const { variants } = await readAll('Titel,Preis,badge\nLampe,"12,50",Neu\nTisch,,Alt\n', {
      mapping: {
        productName: 'titel',
        price: { column: 'Preis', default: 0 },
        'rating.value': { default: 5 },
        badge: null,
      },
    });
    expect(variants.map((one) => one.props)).toEqual([
      { productName: 'Lampe', price: 12.5, rating: { value: 5 } },
      { productName: 'Tisch', price: 0, rating: { value: 5 } },
    ]);
  });

  it('may hold a whole object as JSON', async () => {
    const { variants, report } = await readAll('productName\trating\nLamp\t"{""value"":4}"\nTable\tfour\n');
    expect(variants[0]?.props).toEqual({ productName: 'Lamp', rating: { value: 4 } });
    expect(report.problems).toMatchObject([
      { line: 3, column: 'rating', reason: expect.stringMatching(/JSON object/) },
    ]);
  });

  it('of a composition without a schema are its props, as its defaults are', async () => {
    const { variants } = await readAll(
      'title,count,extra,locale\n01,2,3,en\n',
      { nameColumn: 'extra' },
      open,
    );
    expect(variants).toEqual([{ line: 2, name: '3', locale: 'en', props: { title: '01', count: 2 } }]);
  });

  it.each(['__proto__', 'a.constructor.b', 'a..b'])(
    'of a composition without a schema are not called %s',
    async (name) => {
      await expect(readAll(`title,${name}\nx,y\n`, {}, open)).rejects.toMatchObject({
        code: 'csv_unreadable',
      });
      expect(({} as Record<string, unknown>).b).toBeUndefined();
    },
  );

  it('with numbers of a spreadsheet that writes decimal commas are asked about, where they could be two', async () => {
    const file = 'productName;price\nLampe;1.299\nTisch;12,50\nStuhl;1.299,00\n';
    const { report } = await readAll(file);
    expect(report).toMatchObject({
      delimiter: ';',
      accepted: 2,
      problems: [{ line: 2, column: 'price', value: '1.299' }],
    });
    const { variants } = await readAll(file, { decimal: 'comma' });
    expect(variants.map((one) => one.props.price)).toEqual([1299, 12.5, 1299]);
  });
});

describe('names and locales', () => {
  it('are unique within a locale, also where only their case differs', async () => {
    const { variants } = await readAll(
      'sku,locale,productName\nA,en,x\nA,de,x\na,en,x\nA,en,x\nA-2,en,x\n,en,x\n',
      { nameColumn: 'sku' },
    );
    expect(variants.map((one) => `${one.locale}/${one.name}`)).toEqual([
      'en/A',
      'de/A',
      'en/a-2',
      'en/A-3',
      'en/A-2-2',
      'en/row-7',
    ]);
  });

  it('are short and printable', async () => {
    const { variants } = await readAll(`sku,productName\n"a\nb",x\n${'n'.repeat(300)},x\n`, {
      nameColumn: 'sku',
    });
    expect(variants[0]?.name).toBe('a b');
    expect(variants[1]?.name).toBe(`${'n'.repeat(99)}…`);
  });

  it('of a row are told to a composition that has a locale', async () => {
    const { variants } = await readAll('productName,Sprache\nLampe,de-AT\n', { localeColumn: 'Sprache' });
    expect(variants[0]).toMatchObject({ locale: 'de-AT', props: { locale: 'de-AT' } });
  });

  it('that are no locale are a problem of their row', async () => {
    const { report } = await readAll('productName,locale\nLamp,English please\n');
    expect(report.problems).toMatchObject([{ line: 2, column: 'locale', value: 'English please' }]);
  });
});

describe('rows', () => {
  it('that are empty, or end in empty cells, are no problem', async () => {
    const { report, variants } = await readAll('\nproductName,price\n\nLamp,5,,\n,\n\nTable,6\n');
    expect(report).toMatchObject({ rows: 2, skipped: 3, refused: 0 });
    expect(variants.map((one) => one.line)).toEqual([4, 7]);
  });

  it('of another number of cells are refused', async () => {
    const { report } = await readAll('productName,price\nLamp\nTable, round,6\n');
    expect(report.problems).toMatchObject([
      { line: 2, column: null, reason: expect.stringMatching(/1 cells, the header has 2/) },
      { line: 3, column: null, reason: expect.stringMatching(/3 cells, the header has 2/) },
    ]);
  });
});
