import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, expectTypeOf, it } from 'vitest';
import type {
  CampaignAcceptance,
  CampaignCell,
  CampaignPlan,
  CampaignProgress,
  CampaignRecord,
  CampaignSummary,
} from '../../src/client/campaign-types.ts';
import { createClient } from '../../src/client/client.ts';
import type * as acceptance from '../../src/features/campaigns/acceptance.ts';
import type * as plan from '../../src/features/campaigns/plan-campaign.ts';
import type {
  PresentedCampaign,
  PresentedCell,
  PresentedSummary,
} from '../../src/features/campaigns/present-campaign.ts';
import type { RunProgress } from '../../src/features/campaigns/present-run.ts';
import { type ApiUnderTest, json, serve } from './api-under-test.ts';

let api: ApiUnderTest | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
});

const order = {
  userId: 'u',
  projectId: 'p',
  compositionId: 'c',
  format: 'png',
  sizes: [{ name: 's', width: 1, height: 1 }],
  variants: [{ name: 'a' }],
} as const;
const file = { fileId: 'f-1', sha256: 'ab' };
const cell = (variant: string, given: object = {}) => ({
  variant,
  locale: null,
  size: 's',
  device: null,
  status: 'completed',
  exportId: `e-${variant}`,
  error: null,
  cached: false,
  file,
  ...given,
});
const progress = (done: number) => ({ run: 1, done, total: 2, succeeded: done });

/** Ten seconds of a campaign: it breaks off, comes back, and ends; its cells lie on two pages. */
const answer = (request: IncomingMessage, response: ServerResponse) => {
  const { method, url = '' } = request;
  if (method === 'POST') return json(response, 202, { id: 'b-1', cells: 2 });
  if (url.endsWith('/events')) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('retry: 1\n\n');
    const tell = (event: string, data: object, id = '') =>
      `${id}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    if (request.headers['last-event-id'] === undefined) {
      const text =
        tell('status', { run: 1, status: 'running' }, 'id: 1-running\n') + tell('progress', progress(1));
      return void response.write(text, () => response.destroy());
    }
    response.write(tell('progress', progress(2)));
    return void response.end(tell('status', { run: 1, status: 'completed' }, 'id: 1-completed\n'));
  }
  if (url.includes('cells=0')) return json(response, 200, { id: 'b-1' });
  const isSecond = url.includes('cursor=next');
  const failed = { status: 'failed', file: null, error: { code: 'composition_error', message: 'It threw.' } };
  const items = isSecond ? [cell('b', failed)] : [cell('a')];
  json(response, 200, { cells: { items, nextCursor: isSecond ? null : 'next' } });
};

const clientOf = async () => {
  api = await serve(answer);
  return createClient({ url: api.url, key: 'k' });
};

describe('generateCampaign', () => {
  it('requests, watches over broken connections, and gives files and failures', async () => {
    const client = await clientOf();
    const told: number[] = [];
    const result = await client.generateCampaign(order, { onProgress: ({ done }) => told.push(done) });
    expect(told).toEqual([1, 2]);
    expect(result).toMatchObject({
      success: false,
      batchId: 'b-1',
      totalRendered: 1,
      outputs: [{ variant: 'a', size: 's', fileId: 'f-1', exportId: 'e-a' }],
      failures: [{ variant: 'b', status: 'failed', error: { code: 'composition_error' } }],
    });
  });

  it('ends with the reason of its signal', async () => {
    const client = await clientOf();
    const watching = client.generateCampaign(order, { signal: AbortSignal.abort(new Error('enough')) });
    await expect(watching).rejects.toThrow('enough');
  });
});

describe('the other calls', () => {
  it.each([
    ['createCampaign', 'POST /api/campaigns'],
    ['planCampaign', 'POST /api/campaigns?dryRun=true'],
  ] as const)('%s is %s', async (name, request) => {
    const client = await clientOf();
    await client[name](order);
    expect(`${api?.requests[0]?.method} ${api?.requests[0]?.url}`).toBe(request);
  });

  it('retries and cancels by a name, with the idempotency key', async () => {
    const client = await clientOf();
    await client.retryCampaign('my spring', { idempotencyKey: 'k-1' });
    expect(api?.requests[0]).toMatchObject({
      method: 'POST',
      url: '/api/campaigns/my%20spring/retry',
      headers: { 'idempotency-key': 'k-1' },
    });
    await client.cancelCampaign('my spring');
    expect(`${api?.requests[1]?.method} ${api?.requests[1]?.url}`).toBe('DELETE /api/campaigns/my%20spring');
  });

  it('reads cells page by page', async () => {
    const client = await clientOf();
    const seen: string[] = [];
    for await (const one of client.campaignCells('b-1', { status: 'failed' })) seen.push(one.variant);
    expect(seen).toEqual(['a', 'b']);
    expect(api?.requests[0]?.url).toContain('status=failed');
  });
});

it('has the types that the server answers by', () => {
  expectTypeOf<acceptance.CampaignAcceptance>().toExtend<CampaignAcceptance>();
  expectTypeOf<plan.CampaignPlan>().toExtend<CampaignPlan>();
  expectTypeOf<PresentedCampaign>().toExtend<CampaignRecord>();
  expectTypeOf<PresentedSummary>().toExtend<CampaignSummary>();
  expectTypeOf<PresentedCell>().toExtend<CampaignCell>();
  expectTypeOf<RunProgress>().toExtend<CampaignProgress>();
});
