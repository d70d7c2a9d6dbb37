import { readdir, readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTenant, refusalOf, startTestApi, type Tenant, type TestApi } from '../../support/api.ts';
import {
  countRows,
  createUser,
  exampleComposition,
  openComposition,
  registerCompositions,
} from '../../support/factories.ts';
import { card, formOf, order } from './csv-form.ts';

let api: TestApi;
let tenant: Tenant;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());
beforeEach(async () => {
  tenant = await createTenant(api);
  await registerCompositions(api.db, tenant.organizationId, {
    compositions: [exampleComposition, openComposition, card],
    version: 'aabbccdd00112233',
    at: new Date('2026-03-10T12:00:01.000Z'),
  });
});

const upload = (body: FormData, headers: Record<string, string> = {}) =>
  fetch(`${api.url}/api/imports/csv`, {
    method: 'POST',
    body,
    headers: { authorization: `Bearer ${tenant.key}`, ...headers },
  });
const post = (file: string | Uint8Array, given: object = {}, headers: Record<string, string> = {}) =>
  upload(formOf({ ...order, ...given }, file), headers);

const unlimited = () => createUser(api.db, tenant.organizationId, { id: 'ann', tier: 'unlimited' });
const batches = () =>
  api.db.selectFrom('batch').selectAll().where('organization_id', '=', tenant.organizationId).execute();
const variantsOf = (batchId: string) =>
  api.db
    .selectFrom('batch_variant')
    .selectAll()
    .where('batch_id', '=', batchId)
    .orderBy('position')
    .execute();
const spooled = () => readdir(join(api.config.home, 'imports')).catch(() => []);

const nothingIsLeft = async () => {
  expect(await batches()).toEqual([]);
  expect(await countRows(api.db, 'end_user', tenant.organizationId)).toBe(0);
  expect(await countRows(api.db, 'usage_day', tenant.organizationId)).toBe(0);
  expect(await countRows(api.db, 'idempotency_key', tenant.organizationId)).toBe(0);
  expect(await spooled()).toEqual([]);
};

const csv = 'sku,productName,price,locale\nA-1,Lamp,12.5,en-IE\nA-2,"Ta\nble",99,de-DE\n';

describe('an accepted import', () => {
  test('is a batch of its rows in every size, reserved at once, and says how it understood the file', async () => {
    await unlimited();
    const response = await post(csv, { nameColumn: 'sku', campaignId: 'spring-sale' });
    const answer = (await response.json()) as { id: string };
    expect({ status: response.status, answer }).toEqual({
      status: 202,
      answer: {
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        status: 'accepted',
        version: 'aabbccdd00112233',
        rows: 2,
        accepted: 2,
        refused: 0,
        skipped: 0,
        cells: 4,
        limit: null,
        remaining: null,
        resetAt: '2026-03-11T00:00:00.000Z',
        problems: [],
        problemCount: 0,
        mapping: { productName: 'productName', price: 'price', locale: 'locale' },
        encoding: 'utf-8',
        delimiter: ',',
      },
    });
    expect(response.headers.get('location')).toBe(`/api/campaigns/${answer.id}`);
    expect(await batches()).toMatchObject([
      {
        id: answer.id,
        job_type: 'csv_import',
        run: 1,
        variant_count: 2,
        campaign_id: 'spring-sale',
        report: { rows: 2, sha256: expect.stringMatching(/^[0-9a-f]{64}$/), sizeInBytes: csv.length },
      },
    ]);
    expect(await variantsOf(answer.id)).toMatchObject([
      { name: 'A-1', locale: 'en-IE', line: 2, props: { productName: 'Lamp', price: 12.5, locale: 'en-IE' } },
      {
        name: 'A-2',
        locale: 'de-DE',
        line: 3,
        props: { productName: 'Ta\nble', price: 99, locale: 'de-DE' },
      },
    ]);
    const run = await api.db.selectFrom('batch_run').selectAll().where('batch_id', '=', answer.id).execute();
    expect(run).toMatchObject([{ run: 1, total: 4, status: 'accepted' }]);
    expect(await spooled()).toEqual([]);
  });

  test('of more rows than one transaction takes is complete and in the order of the file', async () => {
    await unlimited();
    const rows = Array.from({ length: 1_203 }, (_, index) => `Product ${index},${index}`);
    const response = await post(`productName,price\n${rows.join('\n')}`);
    const { id } = (await response.json()) as { id: string };
    const variants = await variantsOf(id);
    expect(variants).toHaveLength(1_203);
    expect(variants.at(-1)).toMatchObject({ position: 1_202, line: 1_204, name: 'row-1204' });
    expect(await batches()).toMatchObject([{ run: 1, variant_count: 1_203 }]);
  });

  test('takes the shipped example as it is', async () => {
    await unlimited();
    const file = await readFile(new URL('../../../remotion/examples/products.csv', import.meta.url));
    const answer = await (await post(file, { nameColumn: 'sku' })).json();
    expect(answer).toMatchObject({ rows: 24, accepted: 24, refused: 0, cells: 48 });
    const variants = await variantsOf((answer as { id: string }).id);
    expect(new Set(variants.map((one) => one.locale))).toEqual(new Set(['en-IE', 'de-DE']));
    expect(variants[1]).toMatchObject({
      name: 'TALA-RADIO',
      props: { productName: 'Tala Taschenradio', rating: { value: 4.8, count: 2147 } },
    });
  });

  test('with the same key, options and file is the same batch; with another file it is refused', async () => {
    await unlimited();
    const headers = { 'idempotency-key': 'once' };
    const [first, second] = [await post(csv, {}, headers), await post(csv, {}, headers)];
    expect(second.headers.get('idempotent-replayed')).toBe('true');
    expect(await second.json()).toEqual(await first.json());
    expect(await batches()).toHaveLength(1);
    expect(await refusalOf(await post(`${csv}A-3,Chair,1,en-IE\n`, {}, headers))).toMatchObject({
      status: 409,
      code: 'idempotency_conflict',
    });
    expect(await refusalOf(await post(csv, { format: 'webp' }, headers))).toMatchObject({ status: 409 });
    expect(await batches()).toHaveLength(1);
  });

  test('sent twice at once under one key is one batch', async () => {
    await unlimited();
    const rows = Array.from({ length: 700 }, (_, index) => `Product ${index},${index}`);
    const file = `productName,price\n${rows.join('\n')}`;
    const answers = await Promise.all(
      [1, 2, 3].map(async () => (await post(file, {}, { 'idempotency-key': 'race' })).json()),
    );
    expect(new Set(answers.map((one) => (one as { id: string }).id)).size).toBe(1);
    expect(await batches()).toHaveLength(1);
  });
});

describe('bad rows', () => {
  const bad =
    'productName,price,accentColor\nLamp,12\nTable,cheap,#ffffff\n,5,\nChair,7,red\nSofa,8,#00ff00\n';
  const problems = [
    { line: 2, column: null, reason: expect.stringMatching(/has 2 cells, the header has 3/) },
    { line: 3, column: 'price', reason: 'is not a number such as 1234.5', value: 'cheap' },
    { line: 5, column: 'accentColor', reason: expect.stringMatching(/must match pattern/), value: 'red' },
  ];

  test('refuse the whole file, each with line, column and reason, and leave nothing', async () => {
    const refusal = await refusalOf(await post(bad));
    expect(refusal).toMatchObject({ status: 400, code: 'rows_refused' });
    expect(refusal.message).toMatch(/^3 of 5 rows .* The first: line 2: has 2 cells/);
    expect(refusal.details).toMatchObject({ rows: 5, accepted: 2, refused: 3, problemCount: 3, problems });
    await nothingIsLeft();
  });

  test('are skipped where that was asked for, and reported with the batch', async () => {
    await unlimited();
    const response = await post(bad, { onError: 'skip' });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ rows: 5, accepted: 2, refused: 3, cells: 4, problems });
    const [batch] = await batches();
    expect(batch?.report).toMatchObject({ rows: 5, accepted: 2, refused: 3, problems });
    // An empty cell leaves the prop to the composition's default.
    expect((await variantsOf(batch?.id ?? '')).map((one) => [one.line, one.props])).toEqual([
      [4, { price: 5 }],
      [6, { productName: 'Sofa', price: 8, accentColor: '#00ff00' }],
    ]);
  });

  test('after many good ones leave no staged batch', async () => {
    const good = Array.from({ length: 1_100 }, (_, index) => `Product ${index},${index}`);
    const refusal = await refusalOf(await post(`productName,price\n${good.join('\n')}\nLast,none`));
    expect(refusal.details).toMatchObject({ accepted: 1_100, refused: 1, problems: [{ line: 1_102 }] });
    expect(await batches()).toEqual([]);
    expect(await spooled()).toEqual([]);
  });

  test('and no good one are refused whatever was asked for', async () => {
    expect(await refusalOf(await post('price\nx\n', { onError: 'skip' }))).toMatchObject({
      status: 400,
      code: 'rows_refused',
    });
    await nothingIsLeft();
  });

  test('are listed up to a thousand and all counted; the answer does not repeat a long cell', async () => {
    const rows = Array.from({ length: 1_500 }, () => `${'x'.repeat(5_000)}`);
    const response = await post(`price\n${rows.join('\n')}`);
    const text = await response.text();
    expect(text.length).toBeLessThan(300_000);
    const { error } = JSON.parse(text);
    expect(error.details.problemCount).toBe(1_500);
    expect(error.details.problems).toHaveLength(1_000);
  });
});

describe('limits', () => {
  test('reserve all cells or none', async () => {
    const refusal = await refusalOf(await post(csv));
    expect(refusal).toMatchObject({ status: 403, code: 'daily_limit_reached', details: { remaining: 3 } });
    await nothingIsLeft();
  });

  test('of a user with credits are held likewise', async () => {
    await createUser(api.db, tenant.organizationId, { id: 'ann', tier: 'credits' });
    expect(await refusalOf(await post(csv))).toMatchObject({ status: 403, code: 'insufficient_credits' });
    expect(await batches()).toEqual([]);
  });

  test('of cells end the reading', async () => {
    await unlimited();
    const wide = Array.from({ length: 100 }, (_, index) => ({ name: `s${index}`, width: 100, height: 100 }));
    const rows = Array.from({ length: 1_001 }, (_, index) => index);
    expect(await refusalOf(await post(`price\n${rows.join('\n')}`, { sizes: wide }))).toMatchObject({
      status: 400,
      code: 'invalid_request',
      message: expect.stringMatching(/at most|1 to 100000/),
    });
    expect(await batches()).toEqual([]);
  });
});

describe('a dry run', () => {
  test('answers what an import would, with the first rows as understood, and leaves nothing', async () => {
    const response = await post(csv, { dryRun: true, sizes: order.sizes.slice(0, 1) });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      dryRun: true,
      allowed: true,
      refusal: null,
      version: 'aabbccdd00112233',
      rows: 2,
      accepted: 2,
      refused: 0,
      skipped: 0,
      cells: 2,
      limit: 3,
      remaining: 3,
      resetAt: '2026-03-11T00:00:00.000Z',
      problems: [],
      problemCount: 0,
      mapping: { productName: 'productName', price: 'price', locale: 'locale' },
      encoding: 'utf-8',
      delimiter: ',',
      preview: [
        {
          line: 2,
          name: 'row-2',
          locale: 'en-IE',
          props: { productName: 'Lamp', price: 12.5, locale: 'en-IE' },
        },
        {
          line: 3,
          name: 'row-3',
          locale: 'de-DE',
          props: { productName: 'Ta\nble', price: 99, locale: 'de-DE' },
        },
      ],
    });
    await nothingIsLeft();
  });

  test('says what the import would be refused for', async () => {
    expect(await (await post(csv, { dryRun: true })).json()).toMatchObject({
      allowed: false,
      refusal: { code: 'daily_limit_reached' },
      cells: 4,
      remaining: 3,
    });
    const asked = await fetch(`${api.url}/api/imports/csv?dryRun=true`, {
      method: 'POST',
      body: formOf(order, csv),
      headers: { authorization: `Bearer ${tenant.key}` },
    });
    expect(await asked.json()).toMatchObject({ dryRun: true });
    expect(await batches()).toEqual([]);
    expect(await (await post('price\nx\n1\n', { dryRun: true })).json()).toMatchObject({
      allowed: false,
      refusal: { code: 'rows_refused' },
      accepted: 1,
    });
    await nothingIsLeft();
  });
});

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
    const json = await api.call('/api/imports/csv', { key: tenant.key, body: order });
    expect(await refusalOf(json)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
    const elsewhere = await fetch(`${api.url}/api/render`, {
      method: 'POST',
      body: formOf(order, csv),
      headers: { authorization: `Bearer ${tenant.key}` },
    });
    expect(elsewhere.status).toBe(415);
  });

  test('without a secret key is refused', async () => {
    expect(await refusalOf(await upload(formOf(order, csv), { authorization: 'Bearer x' }))).toMatchObject({
      status: 401,
    });
  });
});

/** A form that is sent by hand, so that it can break off or never end. */
const sendByHand = (given: { contentLength?: number } = {}) => {
  const request = httpRequest(`${api.url}/api/imports/csv`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${tenant.key}`,
      'content-type': 'multipart/form-data; boundary=x',
      ...(given.contentLength === undefined ? {} : { 'content-length': given.contentLength }),
    },
  });
  request.on('error', () => undefined);
  const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
    const closed = () => reject(new Error('closed without an answer'));
    request.on('response', async (response) => {
      request.off('close', closed);
      let text = '';
      for await (const chunk of response) text += chunk;
      resolve({ status: response.statusCode ?? 0, text });
    });
    request.on('close', closed);
  });
  answer.catch(() => undefined);
  request.write(
    `--x\r\nContent-Disposition: form-data; name="options"\r\n\r\n${JSON.stringify(order)}\r\n--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n`,
  );
  return { request, answer };
};

describe('an upload', () => {
  test('whose client leaves half-way leaves no file and no batch', async () => {
    await unlimited();
    const { request } = sendByHand();
    request.write(`productName,price\n${'Lamp,12\n'.repeat(100_000)}`);
    await expect.poll(spooled).toHaveLength(1);
    request.destroy();
    await expect.poll(spooled).toEqual([]);
    expect(await batches()).toEqual([]);
  });

  test('whose client leaves while the rows are staged leaves no batch', async () => {
    await unlimited();
    const { request } = sendByHand();
    request.end(`productName,price\n${'Lamp,12\n'.repeat(90_000)}\r\n--x--\r\n`);
    await expect.poll(async () => (await batches()).length, { interval: 5 }).toBe(1);
    request.destroy();
    await expect.poll(spooled, { timeout: 20_000 }).toEqual([]);
    expect(await batches()).toEqual([]);
  });

  test('that says that it is too large is refused at once', async () => {
    const { answer } = sendByHand({ contentLength: 200 * 1024 * 1024 });
    const { status, text } = await answer;
    expect(status).toBe(413);
    expect(JSON.parse(text).error).toMatchObject({
      code: 'payload_too_large',
      message: expect.stringMatching(/100 MB/),
    });
    await nothingIsLeft();
  });

  test('that turns out too large is answered with 413, while it is still being sent', async () => {
    const { request, answer } = sendByHand();
    const block = Buffer.from(`${'Lamp,12,'.repeat(16)}\n`.repeat(8_000));
    request.write('productName,price\n');
    const sending = (async () => {
      for (let sent = 0; sent < 130 * 1024 * 1024 && !request.destroyed; sent += block.length) {
        if (!request.write(block))
          await Promise.race([new Promise((go) => request.once('drain', go)), delay(2_000)]);
      }
    })();
    const { status, text } = await answer;
    request.destroy();
    await sending;
    expect(status).toBe(413);
    expect(JSON.parse(text).error.message).toMatch(/up to 100 MB/);
    await nothingIsLeft();
  }, 60_000);

  test('of 60 MB is read with flat memory', async () => {
    await unlimited();
    const { request, answer } = sendByHand();
    // Few rows, each of much text in a column that nobody asked for.
    const row = `Lamp,12,"${'lorem ipsum "" dolor\n'.repeat(3_000)}"\n`;
    const rows = Math.floor((60 * 1024 * 1024) / row.length);
    global.gc?.();
    const before = process.memoryUsage().rss;
    let peak = before;
    const watch = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 20);
    request.write('productName,price,notes\n');
    for (let sent = 0; sent < rows; sent++)
      if (!request.write(row)) await new Promise((go) => request.once('drain', go));
    request.end('\r\n--x--\r\n');
    const { status, text } = await answer;
    clearInterval(watch);
    expect(JSON.parse(text)).toMatchObject({ rows, refused: 0 });
    expect(status).toBe(202);
    expect((peak - before) / 1024 / 1024).toBeLessThan(150);
  }, 60_000);
});
