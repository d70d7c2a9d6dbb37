import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json as readBody } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatCampaignProgress } from '../../../src/apps/cli/campaign-lines.ts';
import { type ApiUnderTest, json, serve } from '../../client/api-under-test.ts';
import { runCommand } from './run-command.ts';

let api: ApiUnderTest;
let folder: string;
let file: string;
let isFailed: boolean;
let ordered: Record<string, unknown>;

const plan = {
  wouldBeAccepted: false,
  refusals: [{ code: 'daily_limit_reached', message: 'Tier free allows 3.' }],
  compositionId: 'c',
  version: 'abc',
  cells: 4,
  variants: 2,
  sizes: [{}, {}],
  tier: 'free',
  now: { limit: 3, remaining: 3 },
  after: { limit: 3, remaining: 0 },
  credits: { needed: 0, balance: 0 },
  reusable: null,
  estimateSeconds: null,
  estimateBasis: null,
  renderSlots: 0,
};

const answer = async (request: IncomingMessage, response: ServerResponse) => {
  const { method, url = '' } = request;
  if (url.endsWith('/campaigns')) ordered = (await readBody(request)) as typeof ordered;
  if (url.includes('dryRun')) return json(response, 200, plan);
  if (method !== 'GET') return json(response, 202, { id: 'b-1', run: 1, cells: 1 });
  if (url.endsWith('/events')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    return void response.end(`id: 1-x\nevent: status\ndata: {"run":1,"status":"completed","at":"2026"}\n\n`);
  }
  const cell = { variant: 'a', locale: 'en', size: 's', device: null, exportId: 'e', cached: false };
  const error = { code: 'composition_error', message: 'It threw.' };
  const item = isFailed
    ? { ...cell, status: 'failed', error, file: null }
    : { ...cell, status: 'completed', error: null, file: { fileId: 'f' } };
  json(response, 200, { id: 'b-1', cells: { items: [item], nextCursor: null } });
};

beforeEach(async () => {
  isFailed = false;
  folder = await mkdtemp(join(tmpdir(), 'rendermill-campaign-'));
  file = join(folder, 'spring.json');
  await writeFile(file, JSON.stringify({ compositionId: 'c', userId: 'ada' }));
  api = await serve(answer);
});
afterEach(async () => {
  await api.close();
  await rm(folder, { recursive: true });
});

const campaign = (...args: string[]) => runCommand(['campaign', ...args, '--url', api.url, '--key', 'k']);
const called = () => api.requests.map(({ method, url }) => `${method} ${url}`);

describe('campaign', () => {
  it('renders what the file says and tells what came of it', async () => {
    const { exitCode, out, err } = await campaign(file);
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: ['Campaign b-1: 1 file(s)'] });
    expect(err).toEqual(['Accepted b-1, run 1: 1 cell(s).']);
    expect(called()[0]).toBe('POST /api/campaigns');
  });

  it('leaves with 1 and a table where a cell failed', async () => {
    isFailed = true;
    const { exitCode, out } = await campaign(file);
    expect(exitCode).toBe(1);
    expect(out.join('\n')).toMatch(
      /1 without\nvariant +locale +size +code +reason\na +en +s +composition_error +It threw\./,
    );
  });

  it('says what it would be, and leaves with 1 where it would be refused', async () => {
    const { exitCode, out } = await campaign(file, '--dry-run');
    expect(exitCode).toBe(1);
    expect(out.join('\n')).toContain('2 variant(s) × 2 size(s) = 4 cell(s)');
    expect(out.join('\n')).toContain('daily_limit_reached: Tier free allows 3.');
    expect(called()).toEqual(['POST /api/campaigns?dryRun=true']);
  });

  it.each([
    [[], {}, undefined],
    [['--render-mode', 'lambda'], {}, 'lambda'],
    [['--render-mode', 'lambda'], { renderMode: 'local' }, 'local'],
  ])('with %j and a file that says %j asks for the mode %s', async (args, given, renderMode) => {
    await writeFile(file, JSON.stringify({ compositionId: 'c', ...given }));
    expect((await campaign(file, ...args)).exitCode).toBe(0);
    expect(ordered.renderMode).toBe(renderMode);
  });

  it('tells a script each step as a line of JSON', async () => {
    const { out } = await campaign(file, '--json');
    expect(out.map((line) => JSON.parse(line).type)).toEqual(['accepted', 'status', 'ended']);
  });

  it.each([
    ['--retry', 'POST /api/campaigns/b-1/retry'],
    ['--cancel', 'DELETE /api/campaigns/b-1'],
    ['--watch', 'GET /api/campaigns/b-1/events'],
  ])('%s names another campaign', async (option, request) => {
    expect((await campaign(option, 'b-1')).exitCode).toBe(0);
    expect(called()[0]).toBe(request);
  });

  it.each([[[]], [['--retry', 'a', '--cancel', 'b']], [['--retry', 'a', '--dry-run']]])(
    'with %j says what is expected',
    async (args) => {
      const { exitCode, err } = await campaign(...args);
      expect(exitCode).toBe(1);
      expect(err.join('\n')).toMatch(/Name one of|needs a file/);
      expect(called()).toEqual([]);
    },
  );
});

it('the bar tells cells, failures, reuse and the time that is left', () => {
  const counts = {
    run: 1,
    done: 5,
    total: 10,
    succeeded: 4,
    failed: 1,
    canceled: 0,
    cached: 2,
    secondsLeft: 7,
  };
  expect(formatCampaignProgress({ type: 'progress', ...counts })).toBe(
    '████████████░░░░░░░░░░░░ 5/10  1 failed, 2 reused  7 s left',
  );
});
