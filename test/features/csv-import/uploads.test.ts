import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { order } from './csv-form.ts';
import { openImportScene } from './import-scene.ts';

const { api, authorization, unlimited, batches, spooled, nothingIsLeft } = await openImportScene();

/** A form that is sent by hand, so that it can break off or never end. */
const sendByHand = (given: { contentLength?: number } = {}) => {
  const request = httpRequest(`${api.url}/api/imports/csv`, {
    method: 'POST',
    headers: {
      ...authorization(),
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
  // A test that breaks the upload off does not ask for it.
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
      message:
        'A CSV file may have up to 100 MB (104857600 bytes), and the request has 209715200. Split it: each part needs the header.',
      details: { limit: 100 * 1024 * 1024, sizeInBytes: 200 * 1024 * 1024 },
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
    expect(JSON.parse(text).error.message).toMatch(/up to 100 MB .* this one is longer\. Split it/);
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
