import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { ApiError } from '../../src/client/api-error.ts';
import { type Client, createClient } from '../../src/client/client.ts';
import { type ComeBackOptions, planWait, readRetryAfter, type Wait } from '../../src/client/come-back.ts';
import { type ApiUnderTest, json, serve } from './api-under-test.ts';

let api: ApiUnderTest | undefined;
afterEach(async () => {
  await api?.close();
  api = undefined;
});

interface Refused {
  readonly status: number;
  readonly code: string;
  /** Seconds, or a date; absent: no such header. */
  readonly after?: string | undefined;
}

const refuse = (response: ServerResponse, { status, code, after }: Refused) => {
  if (after !== undefined) response.setHeader('retry-after', after);
  json(response, status, { error: { code, message: `It is ${code}.` } });
};

/** Refuses so many times before it answers; `waits` are those that were told. */
const clientOf = async (refused: Refused, times: number, options: ComeBackOptions = {}) => {
  let refusals = 0;
  api = await serve((request: IncomingMessage, response: ServerResponse) => {
    request.resume();
    if (refusals++ < times) return refuse(response, refused);
    json(response, 200, { id: 'e-1', compositions: [] });
  });
  const waits: Wait[] = [];
  const client = createClient({
    url: api.url,
    key: 'rm_sk_test',
    onWait: (wait) => void waits.push(wait),
    ...options,
  });
  return { client, waits };
};

const order = { userId: 'u', projectId: 'p', compositionId: 'c', kind: 'still', format: 'png' } as const;
const sizes = [{ name: 'a', width: 1, height: 1 }];
const imported = { userId: 'u', projectId: 'p', compositionId: 'c', format: 'png', sizes } as const;
const limited = { status: 429, code: 'rate_limited', after: '0' };
const away = { status: 503, code: 'database_unavailable', after: '0' };

const outcomeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'answered',
    (error: unknown) => (error instanceof ApiError ? error.code : Promise.reject(error)),
  );

describe('a request that is asked to come back', () => {
  it.each<[string, Refused, (client: Client) => Promise<unknown>]>([
    ['with a key that asked too often, whatever it asks', limited, (client) => client.render(order)],
    [
      'while too many wait, whatever it asks',
      { status: 503, code: 'service_overloaded', after: '0' },
      (client) => client.render(order),
    ],
    ['to read', away, (client) => client.get('e-1')],
    ['to do what may be done twice', away, (client) => client.cancel('e-1')],
    ['with an idempotency key', away, (client) => client.render(order, { idempotencyKey: 'k' })],
    [
      'by something in between, to read',
      { status: 429, code: '', after: '0' },
      (client) => client.compositions(),
    ],
    ['at a date that is over', { ...away, after: new Date(0).toUTCString() }, (client) => client.get('e-1')],
    ['to import', limited, (client) => client.importCsv(new Blob(['a\n1\n']), imported)],
    [
      'to import, with an idempotency key',
      away,
      (client) => client.importCsv(new Blob(['a\n1\n']), imported, { idempotencyKey: 'k' }),
    ],
  ])('does %s', async (_what, refused, ask) => {
    const { client, waits } = await clientOf(refused, 1);
    expect(await outcomeOf(ask(client))).toBe('answered');
    expect(api?.requests).toHaveLength(2);
    expect(waits.map(({ error }) => error.code)).toEqual([refused.code]);
  });

  it.each<[string, Refused, (client: Client) => Promise<unknown>]>([
    ['where it may have been done already', away, (client) => client.render(order)],
    ['to import what may have been imported', away, (client) => client.importCsv(new Blob(['a']), imported)],
    ['without having been asked to', { ...limited, after: undefined }, (client) => client.get('e-1')],
    ['for another failure', { status: 500, code: 'internal', after: '0' }, (client) => client.get('e-1')],
    ['at no time', { ...limited, after: 'soon' }, (client) => client.get('e-1')],
    ['after longer than it is willing to wait', { ...limited, after: '121' }, (client) => client.get('e-1')],
  ])('does not %s', async (_what, refused, ask) => {
    const { client, waits } = await clientOf(refused, 1);
    expect(await outcomeOf(ask(client))).toBe(refused.code);
    expect([api?.requests.length, waits]).toEqual([1, []]);
  });

  it('does so as often as was said, and fails with what it was told', async () => {
    const twice = await clientOf(limited, 100, { mostRepeats: 2 });
    expect(await outcomeOf(twice.client.get('e-1'))).toBe('rate_limited');
    expect(api?.requests).toHaveLength(3);
    await api?.close();
    const never = await clientOf(limited, 100, { mostRepeats: 0 });
    expect(await outcomeOf(never.client.get('e-1'))).toBe('rate_limited');
    expect(api?.requests).toHaveLength(1);
  });

  it('waits no longer in all than it is willing to', async () => {
    const { client, waits } = await clientOf({ ...limited, after: '1' }, 100, { mostWaitMs: 1_500 });
    const failure = await client.get('e-1').catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'rate_limited', retryAfterMs: 1_000 });
    expect(waits).toHaveLength(1);
    expect(waits[0]?.waitMs).toBeGreaterThanOrEqual(1_000);
  });

  it('stops waiting with its signal', async () => {
    const leaving = new AbortController();
    const { client } = await clientOf({ ...limited, after: '60' }, 100, { onWait: () => leaving.abort() });
    const asked = client.importCsv(new Blob(['a']), imported, { signal: leaving.signal });
    await expect(asked).rejects.toThrow(/abort/);
  });
});

describe('a wait', () => {
  const asked = { retryAfterMs: 0, repeats: 0, waitedMs: 0 };

  it('is a second at least, and twice as long each time up to half a minute, where less is asked for', () => {
    const options = { mostRepeats: 100, mostWaitMs: 1e9 };
    for (const [repeats, leastMs] of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000].entries()) {
      const waitMs = planWait(options, { ...asked, repeats });
      expect(waitMs).toBeGreaterThanOrEqual(leastMs);
      expect(waitMs).toBeLessThanOrEqual(leastMs * 1.1);
    }
    expect(planWait(options, { ...asked, retryAfterMs: 60_000 })).toBeGreaterThanOrEqual(60_000);
  });

  it.each<[string, object]>([
    ['not given', {}],
    ['given as undefined', { mostRepeats: undefined, mostWaitMs: undefined }],
  ])('has bounds where they are %s', (_what, options) => {
    expect(planWait(options, { ...asked, repeats: 4 })).not.toBeNull();
    expect(planWait(options, { ...asked, repeats: 5 })).toBeNull();
    expect(planWait(options, { ...asked, retryAfterMs: 120_000 })).not.toBeNull();
    expect(planWait(options, { ...asked, retryAfterMs: 120_001 })).toBeNull();
  });

  it.each<[string, ComeBackOptions]>([
    ['repeats that are no number', { mostRepeats: Number.NaN }],
    ['time that is no number', { mostWaitMs: Number.NaN }],
    ['less than the least time', { mostWaitMs: 999 }],
  ])('is none for %s', (_what, options) => {
    expect(planWait(options, asked)).toBeNull();
  });

  it('is never longer than a timer can be', () => {
    const endless = { mostRepeats: Number.POSITIVE_INFINITY, mostWaitMs: Number.POSITIVE_INFINITY };
    const longestMs = 2 ** 31 - 1;
    expect(planWait(endless, { ...asked, retryAfterMs: longestMs - 1_000 })).toBeLessThanOrEqual(longestMs);
    expect(planWait(endless, { ...asked, retryAfterMs: longestMs - 999 })).toBeNull();
    expect(planWait(endless, { ...asked, retryAfterMs: 999_999_999_000 })).toBeNull();
  });
});

describe('Retry-After', () => {
  const date = 'Sun, 06 Nov 1994 08:49:30 GMT';
  it.each<[string, number | undefined]>([
    ['0', 0],
    ['7', 7_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 7_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 7_000],
    ['Sun Nov  6 08:49:37 1994', 7_000],
    ['Sat, 05 Nov 1994 08:49:37 GMT', 0],
    ['', undefined],
    ['-5', undefined],
    ['+3', undefined],
    ['5, 7', undefined],
    ['1.5', undefined],
    ['2099-01-01', undefined],
    ['soon', undefined],
    ['9999999999', undefined],
  ])('of %j', (text, milliseconds) => {
    const response = new Response(null, { status: 503, headers: { 'retry-after': text, date } });
    expect(readRetryAfter(response)).toBe(milliseconds);
  });
});

describe('a watch that is asked to come back', () => {
  it('does, and goes on', async () => {
    let requests = 0;
    api = await serve((_request, response) => {
      requests += 1;
      if (requests <= 2) return refuse(response, limited);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`retry: 1\n\nid: 1\nevent: status\ndata: {"status":"completed","at":"2026"}\n\n`);
    });
    const waits: Wait[] = [];
    const client = createClient({ url: api.url, key: 'k', onWait: (wait) => void waits.push(wait) });
    const seen = [];
    for await (const message of client.watch('e-1')) seen.push(message.type);
    expect([seen, waits.length]).toEqual([['status'], 2]);
  });

  it('does not after longer than the client is willing to wait', async () => {
    api = await serve((_request, response) => refuse(response, { ...limited, after: '121' }));
    const client = createClient({ url: api.url, key: 'k' });
    expect(await outcomeOf(client.watch('e-1').next())).toBe('rate_limited');
    expect(api.requests).toHaveLength(1);
  });
});

describe('a signal', () => {
  const campaign = { ...imported, kind: 'still', variants: [{ name: 'v', props: {} }] } as const;
  const asks: Readonly<Record<string, (client: Client, signal: AbortSignal) => Promise<unknown>>> = {
    render: (client, signal) => client.render(order, { signal }),
    renderStill: (client, signal) => client.renderStill(order, { signal }),
    renderVideo: (client, signal) => client.renderVideo({ ...order, format: 'mp4' }, { signal }),
    createCampaign: (client, signal) => client.createCampaign(campaign, { signal }),
    planCampaign: (client, signal) => client.planCampaign(campaign, { signal }),
    generateCampaign: (client, signal) => client.generateCampaign(campaign, { signal }),
    retryCampaign: (client, signal) => client.retryCampaign('c', { signal }),
  };
  it.each(Object.entries(asks))('ends the wait of %s, and nothing more is asked', async (_name, ask) => {
    const given = new AbortController();
    let asked = 0;
    api = await serve((request, response) => {
      request.resume();
      asked += 1;
      refuse(response, { ...limited, after: '60' });
    });
    const client = createClient({ url: api.url, key: 'rm_sk_test', onWait: () => given.abort() });
    await expect(ask(client, given.signal)).rejects.toMatchObject({ name: 'AbortError' });
    expect(asked).toBe(1);
  });
});
