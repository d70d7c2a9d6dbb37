/** Four workers on one queue, each killed at random and started again, and Redis restarted in between: every render, once. */
import type { ChildProcess } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createChance } from '../support/chance.ts';
import { times } from '../support/factories.ts';
import { startTestRedis } from '../support/redis.ts';
import { endWorker, eventually, openScene, organizationId, type Scene } from '../support/scene.ts';

const renders = 100;
const videos = 6;
const workers = 4;
/** So many at least, while renders are still to come. */
const leastKills = 8;

const seed = Number(process.env.CHANCE_SEED ?? Date.now() % 1_000_000);
const chance = createChance(seed);
const pick = (count: number): number => Math.floor(chance() * count);

const acceptOne = (scene: Scene, index: number): Promise<string> =>
  scene.accept(
    index % Math.floor(renders / videos) === 0
      ? {
          compositionId: 'promo-video',
          kind: 'video',
          format: 'mp4',
          width: 320,
          height: 180,
          frameRange: [0, 15],
        }
      : {
          compositionId: 'example-hero-ad',
          kind: 'still',
          format: 'jpeg',
          width: 320,
          height: 320,
          props: { headline: `Number ${index}` },
        },
  );

/** Kills one of them at random, again and again, and starts another in its place. */
const killAtRandom = async (
  scene: Scene,
  children: ChildProcess[],
  until: () => boolean,
  onKill: () => void,
): Promise<void> => {
  while (!until()) {
    await delay(1_000 + pick(3_000));
    const at = pick(children.length);
    children[at]?.kill('SIGKILL');
    onKill();
    children[at] = await scene.startWorker();
  }
};

const countBy = async (scene: Scene, what: 'status' | 'event'): Promise<Record<string, number>> => {
  const { db } = scene.resources;
  const { rows } =
    what === 'status'
      ? await sql<{
          name: string;
          count: number;
        }>`SELECT status AS name, count(*)::int FROM export GROUP BY 1`.execute(db)
      : await sql<{ name: string; count: number }>`
          SELECT event_name AS name, count(*)::int FROM domain_event WHERE organization_id = ${organizationId}
          GROUP BY 1`.execute(db);
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
};

/** Exports of which an event that ends a render was recorded twice, or never. */
const notOnce = async ({ resources }: Scene): Promise<readonly string[]> => {
  const { rows } = await sql<{ id: string }>`
    SELECT export.id FROM export LEFT JOIN domain_event ON entity_id = export.id::text
      AND event_name IN ('video_rendered', 'processing_completed')
    GROUP BY export.id HAVING count(*) <> 2 OR count(DISTINCT event_name) <> 2`.execute(resources.db);
  return rows.map(({ id }) => id);
};

test('100 renders, workers killed at random, Redis restarted: all complete, each once', async ({ skip }) => {
  const redis = await startTestRedis();
  if (redis === null) return skip('no redis-server is installed');
  console.log(`chance seed ${seed} (CHANCE_SEED=${seed} repeats it)`);
  const scene = await openScene({ REDIS_URL: redis.url });
  try {
    const children = await Promise.all(times(workers, () => scene.startWorker()));
    let kills = 0;
    let done = false;
    const killing = killAtRandom(
      scene,
      children,
      () => done,
      () => {
        kills += 1;
      },
    );
    const accepted: string[] = [];
    for (let index = 0; index < renders; index += 1) {
      accepted.push(await acceptOne(scene, index));
      // A quick machine would else be done before the second kill.
      while (kills < Math.floor((leastKills * index) / renders)) await delay(50);
      if (index === Math.floor(renders / 2)) {
        await redis.stop();
        await delay(500);
        await redis.start();
      }
    }
    await eventually(
      () => countBy(scene, 'status'),
      (counts) => (counts.completed ?? 0) + (counts.failed ?? 0) === renders,
      { withinMs: 420_000, what: 'the end of all renders' },
    );
    done = true;
    await killing;
    console.log(`${kills} kills`);
    expect(await countBy(scene, 'status')).toEqual({ completed: renders });
    expect(await notOnce(scene)).toEqual([]);
    expect(await countBy(scene, 'event')).toMatchObject({
      job_created: renders,
      video_rendered: renders,
      first_render_completed: 1,
    });
    const { db } = scene.resources;
    const { used } = await db.selectFrom('usage_day').select('used').executeTakeFirstOrThrow();
    expect(used).toBe(renders);
    const artifacts = await db.selectFrom('artifact').select(['export_id', 'storage_key']).execute();
    expect(artifacts.map((one) => one.export_id).toSorted()).toEqual(accepted.toSorted());
    await Promise.all(children.map(endWorker));
    await scene.nothingRuns();
  } finally {
    await scene.close();
    await redis.remove();
  }
}, 600_000);
