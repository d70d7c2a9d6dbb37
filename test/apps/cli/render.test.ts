import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json as readBody } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatProgress } from '../../../src/apps/cli/progress-bar.ts';
import { chooseFormat } from '../../../src/apps/cli/render-order.ts';
import { type ApiUnderTest, json, serve } from '../../client/api-under-test.ts';
import { runCommand, startCommand } from './run-command.ts';

const bytes = Buffer.from('a picture');
const sha256 = createHash('sha256').update(bytes).digest('hex');
const file = { fileId: 'f-1', sizeInBytes: bytes.length, sha256, width: 10, height: 20 };
const record = {
  id: 'export-12345678',
  compositionId: 'my card!',
  format: 'png',
  status: 'completed',
  error: null,
  file,
};

let api: ApiUnderTest;
let folder: string;
let answers: Record<string, (request: IncomingMessage, response: ServerResponse) => void>;

const events = (response: ServerResponse, ...statuses: string[]) => {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
  statuses.forEach((status, index) => {
    response.write(`id: ${index + 1}\nevent: status\ndata: ${JSON.stringify({ status, at: '2026' })}\n\n`);
  });
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rendermill-render-'));
  answers = {
    'POST /api/render': (_request, response) => json(response, 202, { id: record.id, status: 'queued' }),
    [`GET /api/render/${record.id}/events`]: (_request, response) => {
      events(response, 'queued', 'started', 'completed');
      response.end();
    },
    [`GET /api/render/${record.id}`]: (_request, response) => json(response, 200, record),
    'GET /api/render/download?fileId=f-1': (_request, response) =>
      void response.writeHead(200, { etag: `"${sha256}"` }).end(bytes),
  };
  api = await serve((request, response) => {
    const answer = answers[`${request.method} ${request.url}`];
    if (answer) answer(request, response);
    else json(response, 404, { error: { code: 'not_found', message: `no ${request.url}` } });
  });
});
afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

const render = (...args: string[]) => [
  'render',
  'my-card',
  '--url',
  api.url,
  '--key',
  'k',
  '--output',
  join(folder, 'a.png'),
  ...args,
];

describe('render', () => {
  it('downloads what was rendered and says where it is', async () => {
    const { exitCode, out, err } = await runCommand(render());
    expect({ exitCode, err }).toEqual({ exitCode: 0, err: [] });
    expect(out).toEqual([`${join(folder, 'a.png')}  10x20, 9 bytes, sha256 ${sha256}`]);
    expect(await readFile(join(folder, 'a.png'))).toEqual(bytes);
  });

  it('waits as the service asks it to, says so on stderr, and goes on', async () => {
    const { 'POST /api/render': accept } = answers;
    let refusals = 0;
    answers['POST /api/render'] = (request, response) => {
      if (refusals++ > 0) return accept?.(request, response);
      response.setHeader('retry-after', '0');
      json(response, 429, { error: { code: 'rate_limited', message: 'This API key has sent too many.' } });
    };
    const { exitCode, out, err } = await runCommand(render());
    expect({ exitCode, lines: out.length }).toEqual({ exitCode: 0, lines: 1 });
    expect(err).toEqual([
      expect.stringMatching(/^This API key has sent too many\. Asking again in [12] s\.$/),
    ]);
  });

  it.each([
    [[], undefined],
    [['--render-mode', 'lambda'], 'lambda'],
  ])('with %j asks for the mode %s', async (args, renderMode) => {
    let body: Record<string, unknown> = {};
    answers['POST /api/render'] = async (request, response) => {
      body = (await readBody(request)) as typeof body;
      json(response, 202, { id: record.id, status: 'queued' });
    };
    expect((await runCommand(render(...args))).exitCode).toBe(0);
    expect(body.renderMode).toBe(renderMode);
  });

  it('tells a script each step as a line of JSON', async () => {
    const { out } = await runCommand(render('--json'));
    const lines = out.map((line) => JSON.parse(line));
    expect(lines.map((line) => line.status ?? line.type)).toEqual([
      'queued',
      'queued',
      'started',
      'completed',
      'completed',
    ]);
    expect(lines.at(-1)).toMatchObject({
      type: 'completed',
      output: join(folder, 'a.png'),
      export: { id: record.id },
    });
  });

  it('leaves with 1 and the reason where the render failed', async () => {
    const error = { code: 'composition_error', message: 'it threw' };
    answers[`GET /api/render/${record.id}`] = (_request, response) =>
      json(response, 200, { ...record, status: 'failed', error, file: null });
    const { exitCode, err } = await runCommand(render());
    expect({ exitCode, err }).toEqual({
      exitCode: 1,
      err: ['rendermill: The render failed (composition_error): it threw'],
    });
  });

  it('cancels the render at Ctrl-C, waits for its end and leaves with 130', async () => {
    let stream: ServerResponse | undefined;
    answers[`GET /api/render/${record.id}/events`] = (_request, response) => {
      stream = response;
      events(response, 'queued', 'started');
    };
    answers[`DELETE /api/render/${record.id}`] = (_request, response) => {
      answers[`GET /api/render/${record.id}`] = (_again, late) =>
        json(late, 200, { ...record, status: 'canceled', file: null });
      json(response, 202, record);
      if (stream) events(stream, 'canceled');
    };
    const command = startCommand(render());
    await expect.poll(() => stream !== undefined).toBe(true);
    command.interrupt();
    const { exitCode, err } = await command.result;
    expect(exitCode).toBe(130);
    expect(err.join('\n')).toMatch(/Canceling export-12345678[\s\S]*Canceled export-12345678/);
  });

  it('stops waiting at the second Ctrl-C', async () => {
    let asked = 0;
    answers[`GET /api/render/${record.id}/events`] = (_request, response) => events(response, 'queued');
    answers[`DELETE /api/render/${record.id}`] = () => {
      asked += 1;
    };
    const command = startCommand(render());
    await expect.poll(() => api.requests.length).toBe(2);
    command.interrupt();
    await expect.poll(() => asked).toBe(1);
    command.interrupt();
    expect((await command.result).exitCode).toBe(130);
  });
});

describe('what is rendered', () => {
  const cases: readonly [Parameters<typeof chooseFormat>[0], string, string][] = [
    [{}, 'still', 'png'],
    [{ output: 'a/b.JPG' }, 'still', 'jpeg'],
    [{ output: 'b.webm' }, 'video', 'webm'],
    [{ output: 'b' }, 'still', 'png'],
    [{ format: 'webp', output: 'b.bin' }, 'still', 'webp'],
    [{ kind: 'video' }, 'video', 'mp4'],
    [{ frames: [0, 9] }, 'video', 'mp4'],
    [{ format: 'gif', output: 'b.png' }, 'video', 'gif'],
  ];
  it.each(cases)('of %j is a %s as %s', (options, kind, format) => {
    expect(chooseFormat(options)).toEqual({ kind, format });
  });

  it('is not guessed from a name whose ending is no format', async () => {
    const { exitCode, err } = await runCommand(['render', 'my-card', '--output', 'v.tiff']);
    expect({ exitCode, err }).toEqual({
      exitCode: 1,
      err: [
        'rendermill: --output v.tiff: there is no format for .tiff. Known endings: .png, .jpg, .jpeg, .webp, .mp4, .webm, .gif. Or name a --format.',
      ],
    });
  });
});

it('shows progress on one line', () => {
  const progress = {
    type: 'progress',
    stage: 'rendering',
    percent: 50,
    renderedFrames: 45,
    totalFrames: 90,
    timeLeftMs: 3_200,
  } as const;
  expect(formatProgress(progress)).toBe(
    `rendering  ${'█'.repeat(12)}${'░'.repeat(12)} 50%  45/90 frames  4 s left`,
  );
  expect(formatProgress({ type: 'status', status: 'queued', at: '2026' })).toBe('queued');
});
