/** What a soak sends, and when. */
import { describe, expect, test } from 'vitest';
import { type CampaignArrival, planSoak, type RenderArrival } from '../../../scripts/soak/plan-soak.ts';

const full = { minutes: 15, stills: 500, videos: 50, videoSeconds: 2.5 };

const renders = (size = full): RenderArrival[] =>
  planSoak(size).arrivals.filter((arrival) => arrival.type === 'render');

describe('the plan', () => {
  test('has as many stills and videos as were asked for, the campaign and the long videos among them', () => {
    const { arrivals, long } = planSoak(full);
    const [campaign] = arrivals.filter((arrival): arrival is CampaignArrival => arrival.type === 'campaign');
    const cells = (campaign?.sizes.length ?? 0) * (campaign?.variants.length ?? 0);
    expect(cells).toBe(100);
    expect(renders().filter(({ kind }) => kind === 'still').length + cells).toBe(500);
    expect(renders().filter(({ kind }) => kind === 'video').length + long.length).toBe(50);
    expect(long).toHaveLength(2);
  });

  test('spreads them evenly: each minute brings the same, within two', () => {
    const perMinute = Array.from(
      { length: 15 },
      (_, minute) => renders().filter(({ atMs }) => Math.floor(atMs / 60_000) === minute).length,
    );
    expect(Math.max(...perMinute) - Math.min(...perMinute)).toBeLessThanOrEqual(2);
    const all = planSoak(full).arrivals.map(({ atMs }) => atMs);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
  });

  test.each([[full], [{ minutes: 0.3, stills: 25, videos: 3, videoSeconds: 1 }]])(
    'has some that fail, some that are canceled and some that are fetched, also in a short one',
    (size) => {
      expect(renders(size).filter(({ fails }) => fails).length).toBeGreaterThan(0);
      const follows = new Set(renders(size).map(({ follow }) => follow));
      expect(follows).toContain('download');
      expect(follows).toContain('cancel at once');
    },
  );

  test('has no two stills that look the same, so that each is rendered', () => {
    const stills = renders().filter(({ kind }) => kind === 'still');
    const looks = stills.map(({ props, compositionId }) => JSON.stringify([compositionId, props]));
    expect(new Set(looks).size).toBe(400);
  });
});
