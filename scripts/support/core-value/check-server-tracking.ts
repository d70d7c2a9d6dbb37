import { createServerTracking } from '../../../src/features/tracking/server-tracking.ts';
import { systemClock } from '../../../src/platform/clock/clock.ts';
import { eventsNamed, isTime } from './check-rendered.ts';
import type { Scene } from './scene.ts';

/** Tracking for code in our own processes: whether it is on, and that what it takes is in the same log. */
export const checkServerTracking = async ({ log, list }: Scene): Promise<void> => {
  const serverTracking = createServerTracking({
    db: log.db,
    clock: systemClock,
    organizationId: 'development',
  });
  const properties = { compositionId: 'tracked-by-hand', format: 'png', width: 10, height: 20 } as const;
  await serverTracking.track('video_rendered', properties, { userId: 'tracker' });
  const refused = await serverTracking
    .track('video_rendered', { ...properties, width: -1 })
    .then(() => 'accepted')
    .catch((error: { code?: string }) => error.code);
  await log.readUntil(
    (events) => eventsNamed(events, 'video_rendered', { compositionId: 'tracked-by-hand' }).length > 0,
  );
  list.heading('serverTracking');
  list.check('isEnabled()', serverTracking.isEnabled(), true);
  const found = eventsNamed(log.events, 'video_rendered', { compositionId: 'tracked-by-hand' });
  list.check(
    'track() writes',
    found.map(({ properties: { timestamp: _timestamp, ...facts } }) => facts),
    [properties],
  );
  list.check(
    'its envelope: organization, user, source',
    found.map((event) => [event.organizationId, event.userId, event.source]),
    [['development', 'tracker', 'server']],
  );
  const times = found.map((event) => event.properties.timestamp);
  list.fits('its timestamp, filled in', times, 'ISO 8601', times.length > 0 && times.every(isTime));
  list.check('track() of what the catalog does not know', refused, 'invalid_event');
};
