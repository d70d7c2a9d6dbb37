import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../support/api.ts';
import { formOf, order } from './csv-form.ts';
import { openImportScene } from './import-scene.ts';

const { api, authorization, upload, post, nothingIsLeft } = await openImportScene();

const csv = 'sku,productName,price,locale\nA-1,Lamp,12.5,en-IE\nA-2,"Ta\nble",99,de-DE\n';

describe('a file that is no CSV', () => {
  const png = Buffer.from('89504e470d0a1a0a0000000d49484452', 'hex');
  const cases: readonly [string, string | Uint8Array, RegExp][] = [
    ['a picture', png, /PNG/],
    ['a large picture', Buffer.concat([png, Buffer.alloc(300_000, 7)]), /PNG/],
    ['a PDF', '%PDF-1.7\n1 0 obj', /PDF/],
    [
      'a workbook',
      Buffer.from('PK\u0003\u0004....[Content_Types].xml', 'latin1'),
      /Excel workbook.*CSV UTF-8/,
    ],
    ['gzip', gzipSync('a,b\n1,2\n'), /gzip/],
    ['JSON', '[{"price":1}]', /JSON/],
    ['zero bytes', 'price\n1\0\n', /zero bytes, the first at offset 7/],
    ['nothing', '', /empty/],
    ['a header only', 'price,productName\n', /header and no rows/],
    ['empty lines', '\n\n\n', /no header and no rows/],
    ['a million columns', Array.from({ length: 1_000_000 }, (_, i) => `c${i}`).join(','), /at most 1000/],
    ['two columns of one name', 'price,name,price\n1,a,2\n', /more than one is called "price"/],
    ['an open quote', `price,productName\n1,"a\n${'2,b\n'.repeat(100)}`, /line 2, and never closed/],
    [
      'a record of ten megabytes',
      `price\n1\n"${'x'.repeat(10_000_000)}"\n`,
      /begins on line 3 is longer than 1024 kB/,
    ],
    ['a record of ten million cells', `price\n1\n${','.repeat(10_000_000)}\n`, /line 3 is longer/],
    ['another shop', 'a,b\n1,2\n', /does not look like a Shopify product export.*"Title".*"a", "b"/],
  ];
  test.each(cases)('because it is %s is refused with a sentence', async (_name, file, message) => {
    const given = file === 'a,b\n1,2\n' ? { preset: 'shopify' } : {};
    expect(await refusalOf(await post(file, given))).toMatchObject({
      status: 400,
      code: 'csv_unreadable',
      message: expect.stringMatching(message),
    });
    await nothingIsLeft();
  });
});

describe('a form', () => {
  test.each([
    [
      'options behind the file',
      () => {
        const form = new FormData();
        form.append('file', new Blob(['a']), 'a.csv');
        form.append('options', JSON.stringify(order));
        return form;
      },
      'invalid_request',
      /must come before/,
    ],
    [
      'no file',
      () => {
        const form = new FormData();
        form.append('options', JSON.stringify(order));
        return form;
      },
      'invalid_request',
      /no file/,
    ],
    ['nothing', () => new FormData(), 'invalid_request', /Expected multipart/],
    ['options that are no JSON', () => formOf('{', csv), 'invalid_json', /"options" is not valid JSON/],
    ['a prototype in them', () => formOf('{"mapping":{"__proto__":"a"}}', csv), 'invalid_json', /__proto__/],
    [
      'a prototype in a path',
      () => formOf({ ...order, mapping: { 'rating.__proto__.x': 'sku' } }, csv),
      'invalid_request',
      /not the path of a prop/,
    ],
    ['an unknown option', () => formOf({ ...order, colour: 1 }, csv), 'invalid_request', /colour/],
    [
      'a format of another kind',
      () => formOf({ ...order, format: 'mp4' }, csv),
      'invalid_request',
      /options.format/,
    ],
    [
      'a prop that is not there',
      () => formOf({ ...order, mapping: { colour: 'sku' } }, csv),
      'invalid_request',
      /no such prop.*"productName"/,
    ],
    [
      'a column that is not there',
      () => formOf({ ...order, mapping: { badge: 'Sticker' } }, csv),
      'invalid_request',
      /no column "Sticker".*"sku"/,
    ],
    [
      'a name column that is not there',
      () => formOf({ ...order, nameColumn: 'id' }, csv),
      'invalid_request',
      /nameColumn: the file has no column "id"/,
    ],
  ])('with %s is refused', async (_name, form, code, message) => {
    expect(await refusalOf(await upload(form()))).toMatchObject({
      status: 400,
      code,
      message: expect.stringMatching(message),
    });
    await nothingIsLeft();
  });

  test('for a composition that is not there, or a size that cannot be, is refused before the file is read', async () => {
    expect(await refusalOf(await post(csv, { compositionId: 'nope' }))).toMatchObject({ status: 404 });
    const huge = [{ name: 'huge', width: 8192, height: 8192 }];
    expect(await refusalOf(await post(csv, { sizes: huge }))).toMatchObject({ code: 'invalid_dimensions' });
    await nothingIsLeft();
  });

  test('as JSON is of the wrong media type, and elsewhere multipart is', async () => {
    const json = await api.call('/api/imports/csv', { headers: authorization(), body: order });
    expect(await refusalOf(json)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    const elsewhere = await upload(formOf(order, csv), {}, '/api/render');
    expect(elsewhere.status).toBe(415);
  });

  test('without a secret key is refused', async () => {
    expect(await refusalOf(await upload(formOf(order, csv), { authorization: 'Bearer x' }))).toMatchObject({
      status: 401,
    });
  });
});

describe('rows', () => {
  test('whose schema takes long for each, and minutes for all, are refused after a second of it', async () => {
    const file = `productName\n${`${'a'.repeat(20)}!\n`.repeat(1_000)}`;
    const refusal = await refusalOf(await post(file, { compositionId: 'slow', onError: 'skip' }));
    expect(refusal).toMatchObject({
      status: 400,
      code: 'invalid_props',
      message: expect.stringMatching(/^Only the first \d+ rows were judged: .*1000 ms.* or split the file/),
    });
    expect(refusal.details).toMatchObject({ compositionId: 'slow', judged: expect.any(Number) });
    expect((refusal.details as { judged: number }).judged).toBeLessThan(800);
    await nothingIsLeft();
  });
});
