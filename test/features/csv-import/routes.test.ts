import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../support/api.ts';
import { formOf, order } from './csv-form.ts';
import { openImportScene } from './import-scene.ts';

const { api, upload, post, unlimited, withCredits, batches, variantsOf, spooled, nothingIsLeft } =
  await openImportScene();

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

  test('among many, in whatever way they are wrong, are told in the order of the file, and the good ones keep theirs', async () => {
    await unlimited();
    const kinds = ['good', 'empty', 'misfit', 'good', 'misshapen', 'good', 'unreadable'] as const;
    type Kind = (typeof kinds)[number];
    const rows = Array.from({ length: 1_000 }, (_, index) => ({
      line: index + 2,
      kind: kinds[index % kinds.length] as Kind,
    }));
    const written: Record<Kind, (line: number) => string> = {
      good: (line) => `Product ${line},${line}`,
      empty: () => ',',
      misfit: (line) => `Product ${line},-${line}`,
      misshapen: (line) => `Product ${line}`,
      unreadable: (line) => `Product ${line},none`,
    };
    const file = `productName,price\n${rows.map(({ kind, line }) => written[kind](line)).join('\n')}\n`;
    const answer = (await (await post(file, { onError: 'skip' })).json()) as { problems: { line: number }[] };
    const linesOf = (...wanted: Kind[]) =>
      rows.filter(({ kind }) => wanted.includes(kind)).map(({ line }) => line);
    const bad = linesOf('misfit', 'misshapen', 'unreadable');
    expect(answer.problems.map(({ line }) => line)).toEqual(bad);
    expect(answer).toMatchObject({ refused: bad.length, skipped: linesOf('empty').length });
    const [batch] = await batches();
    const variants = await variantsOf(batch?.id ?? '');
    expect(variants.map(({ line, props }) => [line, props.price])).toEqual(
      linesOf('good').map((line) => [line, line]),
    );
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
    await withCredits();
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
    const asked = await upload(formOf(order, csv), {}, '/api/imports/csv?dryRun=true');
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
