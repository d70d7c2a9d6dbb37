/**
 * The promise of the outbox, on real parts: what the database committed arrives at every sink, in order for its entity, however
 * often dispatchers are killed and sinks fail; what was rolled back never does.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { sinkSettings } from '../../src/apps/dispatcher/sink-settings.ts';
import { appendEvents, type LogRow } from '../../src/domain/events/append-events.ts';
import { keepConfiguredSinks } from '../../src/features/delivery/open-sinks.ts';
import { loadConfig } from '../../src/platform/config/config.ts';
import { createSecretBox } from '../../src/platform/secrets/secret-box.ts';
import { createChance } from '../support/chance.ts';
import { openTestDatabase, times } from '../support/factories.ts';
import { type Answer, startReceiver } from '../support/http-receiver.ts';

const events = 10_000;
const emitters = 8;
const dispatchers = 4;
/** So many at least, while events are still to come. */
const leastKills = 6;
/** Time passes faster, so that the schedule of retries is walked through. */
const speed = 20;
const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

const seed = Number(process.env.CHANCE_SEED ?? Date.now() % 1_000_000);
const chance = createChance(seed);
const pick = (count: number): number => Math.floor(chance() * count);

const database = await openTestDatabase();
afterAll(database.close);

interface Sent {
  readonly id: string;
  readonly entity: string;
  readonly n: number;
}

class Rollback extends Error {}

/** Writes its share, in transactions of 1 to 20 events of which a third rolls back. Its entities are its own. */
const emitAll = async (
  emitter: number,
  committed: Sent[],
  rolledBack: Set<string>,
  killed: (times: number) => Promise<void>,
): Promise<void> => {
  const next = new Map<string, number>();
  const share = events / emitters;
  let left = share;
  while (left > 0) {
    await killed(Math.floor(leastKills * (1 - left / share)));
    const written = times(Math.min(left, 1 + pick(20)), (): Sent => {
      const entity = `e${emitter}-${pick(40)}`;
      return { id: randomUUID(), entity, n: 0 };
    });
    const numbers = new Map(next);
    const numbered = written.map((one) => {
      const n = (numbers.get(one.entity) ?? 0) + 1;
      numbers.set(one.entity, n);
      return { ...one, n };
    });
    const keep = chance() > 1 / 3;
    await database.db
      .transaction()
      .execute(async (tx) => {
        await appendEvents(tx, numbered.map(toRow));
        if (!keep) throw new Rollback();
      })
      .catch((error) => {
        if (!(error instanceof Rollback)) throw error;
      });
    if (keep) {
      committed.push(...numbered);
      for (const [entity, n] of numbers) next.set(entity, n);
      left -= numbered.length;
    } else for (const { id } of numbered) rolledBack.add(id);
  }
};

const toRow = ({ id, entity, n }: Sent): LogRow => ({
  id,
  event_name: 'something_happened',
  occurred_at: new Date(),
  organization_id: 'o',
  user_id: null,
  distinct_id: null,
  session_id: null,
  entity_type: 'thing',
  entity_id: entity,
  correlation_id: null,
  source: 'server',
  schema_version: 1,
  properties: { entity, n },
  context: {},
  retention_class: 'business',
  is_known: false,
});

/** What a receiver has taken, in the order in which it did. */
interface Taken {
  readonly all: Sent[];
  readonly ids: Set<string>;
}
const take = (taken: Taken, one: Sent): void => {
  taken.all.push(one);
  taken.ids.add(one.id);
};

/** Now and then it is not well, in one of the ways of the real ones. */
const trouble = (share: number, response: { destroy(): unknown }): Answer | 'none' => {
  if (chance() > share) return 'none';
  const kind = pick(4);
  if (kind === 0) {
    response.destroy();
    return undefined;
  }
  if (kind === 1) return { status: 429, headers: { 'retry-after': '1' } };
  return { status: kind === 2 ? 500 : 503, body: 'not now' };
};

const startWebhook = (taken: Taken) =>
  startReceiver<{ data: { id: string; properties: Omit<Sent, 'id'> } }>(({ body, headers }, response) => {
    const failing = trouble(0.01, response);
    if (failing !== 'none') return failing;
    const { data } = body;
    expect(headers['webhook-id']).toBe(data.id);
    take(taken, { id: data.id, ...data.properties });
    return { status: 204 };
  });

const startPostHog = (taken: Taken) =>
  startReceiver<{ batch: { uuid: string; properties: Omit<Sent, 'id'> }[] }>(({ body }, response) => {
    const failing = trouble(0.1, response);
    if (failing !== 'none') return failing;
    for (const { uuid, properties } of body.batch) {
      take(taken, { id: uuid, entity: properties.entity, n: properties.n });
    }
    return { status: 200, body: '{"status":"Ok"}' };
  });

const entry = fileURLToPath(new URL('../support/killable-dispatcher.ts', import.meta.url));

const startDispatcher = async (environment: Record<string, string>): Promise<ChildProcess> => {
  const child = fork(entry, { execArgv: ['--import', 'tsx'], env: { ...process.env, ...environment } });
  await new Promise<void>((resolve, reject) => {
    child.once('message', () => resolve());
    child.once('exit', (code) => reject(new Error(`a dispatcher ended with ${code}`)));
  });
  return child;
};

/** Kills one of them at random, again and again, and starts another in its place. */
const killAtRandom = async (
  children: ChildProcess[],
  start: () => Promise<ChildProcess>,
  until: () => boolean,
  onKill: () => void,
): Promise<void> => {
  while (!until()) {
    await delay(500 + pick(1_500));
    const at = pick(children.length);
    children[at]?.kill('SIGKILL');
    onKill();
    children[at] = await start();
  }
};

const firstOfEach = (all: readonly Sent[]): Sent[] => {
  const seen = new Set<string>();
  return all.filter(({ id }) => !seen.has(id) && seen.add(id));
};

const outOfOrder = (all: readonly Sent[]): Sent[] => {
  const last = new Map<string, number>();
  return firstOfEach(all).filter(({ entity, n }) => {
    const before = last.get(entity) ?? 0;
    last.set(entity, Math.max(before, n));
    return n !== before + 1;
  });
};

test('10,000 events, a third of the transactions rolled back, dispatchers killed, sinks that fail: each arrives, in order', async () => {
  console.log(`chance seed ${seed} (CHANCE_SEED=${seed} repeats it)`);
  const webhook: Taken = { all: [], ids: new Set() };
  const posthog: Taken = { all: [], ids: new Set() };
  const receivers = [await startWebhook(webhook), await startPostHog(posthog)];
  const environment = {
    DATABASE_URL: database.url,
    LOG_LEVEL: 'silent',
    DOMAIN_EVENT_WEBHOOK_URL: receivers[0]?.url ?? '',
    DOMAIN_EVENT_WEBHOOK_SECRET: secret,
    POSTHOG_PROJECT_API_KEY: 'phc_test',
    POSTHOG_HOST: receivers[1]?.url ?? '',
    EPOCH_MS: String(Date.now()),
    SPEED: String(speed),
  };
  // Before the dispatchers, whose clocks are ahead: a sink begins with what happens after it was made.
  await keepConfiguredSinks({
    db: database.db,
    clock: { now: () => new Date(Date.now() - 1_000) },
    settings: sinkSettings(loadConfig(environment)),
    secretBox: createSecretBox(),
  });
  const start = () => startDispatcher(environment);
  const children = await Promise.all(times(dispatchers, start));
  try {
    const committed: Sent[] = [];
    const rolledBack = new Set<string>();
    let emitted = false;
    const everything = () =>
      emitted && webhook.ids.size >= committed.length && posthog.ids.size >= committed.length;
    const deadline = performance.now() + 150_000;
    let kills = 0;
    // A quick machine would else have everything delivered before the second kill.
    const killed = async (wanted: number) => {
      while (kills < wanted) await delay(20);
    };
    const killing = killAtRandom(
      children,
      start,
      () => everything() || performance.now() > deadline,
      () => {
        kills += 1;
      },
    );
    await Promise.all(times(emitters, (emitter) => emitAll(emitter, committed, rolledBack, killed)));
    emitted = true;
    await killing;
    const wanted = committed.map(({ id }) => id).toSorted();
    for (const [name, taken] of Object.entries({ webhook, posthog })) {
      const repeats = taken.all.length - taken.ids.size;
      console.log(
        `${name}: ${taken.ids.size} of ${wanted.length} events, ${repeats} repeated, ${kills} kills`,
      );
      expect([...taken.ids].toSorted(), `what arrived at ${name}`).toEqual(wanted);
      expect(taken.all.filter(({ id }) => rolledBack.has(id))).toEqual([]);
      expect(outOfOrder(taken.all), `out of order at ${name}`).toEqual([]);
    }
    expect(rolledBack.size).toBeGreaterThan(events / 10);
    expect(kills).toBeGreaterThanOrEqual(leastKills - 1);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    for (const receiver of receivers) await receiver.close();
  }
}, 240_000);
