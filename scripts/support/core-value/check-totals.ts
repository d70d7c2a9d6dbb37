import { eventsNamed } from './check-rendered.ts';
import type { Scene } from './scene.ts';

/** At the end, when nothing is on its way any more: whatever was rendered and closed is in the log once, and nothing else is. */
export const checkTotals = async ({ client, log, list }: Scene): Promise<void> => {
  const { exports } = await client.exports({ limit: 200 });
  const completed = exports.filter(({ status }) => status === 'completed').map(({ id }) => id);
  const { campaigns } = await client.campaigns();
  const batches = campaigns.filter(({ progress }) => progress.total > 1).map(({ id }) => id);
  await log.readUntil(() => true);
  const idsOf = (name: string, property: string) =>
    eventsNamed(log.events, name).flatMap(({ properties }) => properties[property] ?? []);
  const twice = (ids: readonly unknown[]) => ids.filter((id, index) => ids.indexOf(id) < index);
  list.heading('The whole log, at the end');
  for (const [name, property, expected] of [
    ['video_rendered', 'exportId', completed],
    ['processing_completed', 'exportId', completed],
    ['batch_completed', 'jobId', batches],
  ] as const) {
    const ids = idsOf(name, property);
    list.check(`${name}, of each`, [...new Set(ids)].toSorted(), expected.toSorted());
    list.check(`${name}, twice`, twice(ids), []);
  }
  const users = eventsNamed(log.events, 'first_render_completed').map(({ userId }) => userId);
  list.check('first_render_completed, of each user', users.toSorted(), ['solo', 'team']);
};
