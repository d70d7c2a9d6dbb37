/** Sends what arrives when its time has come, whether what came before has ended or not, and follows some of it. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiError } from '../../src/client/api-error.ts';
import type { Client } from '../../src/client/client.ts';
import type { Expected } from './check-records.ts';
import type { Arrival, CampaignArrival, RenderArrival } from './plan-soak.ts';

const projectId = 'soak';

export interface Sending {
  /** Grows as answers come. */
  readonly expected: Expected;
  /** Files and archives that arrived whole. */
  readonly downloads: number;
  /** What a client was refused, or got damaged. */
  readonly problems: readonly string[];
  /** Of the arrival that was sent latest after its time, milliseconds. */
  readonly latestMs: number;
  /** Sends all of them, each at its time. */
  send(arrivals: readonly Arrival[], elapsedMs: () => number): Promise<void>;
  /** Until everything that was sent has been answered, and what is followed was followed to its end. */
  settled(): Promise<void>;
}

const isTooLate = (error: unknown): boolean => error instanceof ApiError && error.code === 'export_finished';

const untilStarted = async (client: Client, id: string): Promise<void> => {
  for await (const message of client.watch(id))
    if (message.type === 'status' && message.status !== 'queued') return;
};

const untilEnd = async (client: Client, id: string): Promise<void> => {
  for await (const message of client.watch(id)) if (message.type === 'status') continue;
};

export const createSending = (client: Client, downloadFolder: string): Sending => {
  const toFail = new Set<string>();
  const toCancel = new Set<string>();
  const problems: string[] = [];
  const going: Promise<void>[] = [];
  const counts = { accepted: 0, downloads: 0, latestMs: 0 };

  const cancel = async (id: string) => {
    toCancel.add(id);
    await client.cancel(id).catch((error: unknown) => {
      if (!isTooLate(error)) throw error;
    });
  };

  const download = async (id: string) => {
    await untilEnd(client, id);
    const { file } = await client.get(id);
    if (file === null) return;
    await client.download(file.fileId, join(downloadFolder, id));
    counts.downloads += 1;
  };

  const sendRender = async (arrival: RenderArrival) => {
    const { type: _type, atMs: _atMs, follow, fails, frameRange, ...order } = arrival;
    const range = frameRange === undefined ? {} : { frameRange: [...frameRange] as [number, number] };
    const { id } = await client.render({ ...order, ...range, projectId, props: { ...order.props } });
    counts.accepted += 1;
    if (fails) toFail.add(id);
    if (follow === 'download') await download(id);
    if (follow === 'cancel at work') await untilStarted(client, id);
    if (follow === 'cancel at once' || follow === 'cancel at work') await cancel(id);
  };

  const sendCampaign = async ({ userId, sizes, variants }: CampaignArrival) => {
    const { id, cells } = await client.createCampaign({
      ...{ userId, projectId, compositionId: 'example-hero-ad', format: 'jpeg' },
      sizes: [...sizes],
      variants: variants.map(({ name, props }) => ({ name, props: { ...props } })),
    });
    counts.accepted += cells;
    for await (const _message of client.watchCampaign(id));
    await client.downloadArchive({ campaignId: id }, join(downloadFolder, `${id}.zip`));
    counts.downloads += 1;
  };

  const send = (arrival: Arrival): Promise<void> =>
    (arrival.type === 'campaign' ? sendCampaign(arrival) : sendRender(arrival)).catch((error: unknown) => {
      const what = arrival.type === 'campaign' ? 'the campaign' : `${arrival.kind} ${arrival.compositionId}`;
      problems.push(`${what}: ${error instanceof Error ? error.message : error}`);
    });

  return {
    expected: {
      get accepted() {
        return counts.accepted;
      },
      toFail,
      toCancel,
    },
    get downloads() {
      return counts.downloads;
    },
    get latestMs() {
      return counts.latestMs;
    },
    problems,
    send: async (arrivals, elapsedMs) => {
      for (const arrival of arrivals) {
        const earlyMs = arrival.atMs - elapsedMs();
        if (earlyMs > 0) await delay(earlyMs);
        counts.latestMs = Math.max(counts.latestMs, elapsedMs() - arrival.atMs);
        going.push(send(arrival));
      }
    },
    settled: async () => {
      await Promise.all(going);
    },
  };
};
