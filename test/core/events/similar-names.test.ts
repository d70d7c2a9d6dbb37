import { expect, test } from 'vitest';
import { eventCatalog } from '../../../src/core/events/catalog.ts';
import { similarNames } from '../../../src/core/events/similar-names.ts';

const known = Object.keys(eventCatalog);

test.each([
  ['vidoe_rendered', 'video_rendered'],
  ['video_render', 'video_rendered'],
  ['VIDEO_RENDERED', 'video_rendered'],
  ['batchcompleted', 'batch_completed'],
  ['bacth_*', 'batch_completed'],
  ['purchase', 'purchase_completed'],
  ['rendered_video', 'video_rendered'],
])('of "%s" are those that may have been meant, such as %s', (name, meant) => {
  const similar = similarNames(name, known);
  expect(similar).toContain(meant);
  expect(similar.length).toBeLessThanOrEqual(5);
});

test('what differs by a letter stands before what shares a word', () => {
  expect(similarNames('vidoe_rendered', known)[0]).toBe('video_rendered');
});

test.each(['nosuch_*', 'zzz', '', '*', '_'])('of "%s" there are none, or few', (name) =>
  expect(similarNames(name, ['video_rendered', 'batch_completed']).length).toBeLessThanOrEqual(2),
);

test('a name without end costs no more than the longest that there is', () => {
  expect(similarNames('a'.repeat(1_000_000), known)).toEqual([]);
});
