import { afterAll, expect, test } from 'vitest';
import { absorbEvents } from '../../../src/domain/identity/absorb-events.ts';
import { createOrganization, openTestDatabase } from '../../support/factories.ts';
import { createProjector, record } from './projector.ts';

const { db, close } = await openTestDatabase();
afterAll(close);

const projector = createProjector(db, absorbEvents);

test('a visitor who logs in is activated by what it saw before, and its worker inherits where it came from', async () => {
  const organizationId = await createOrganization(db);
  const visitor = { distinctId: 'visitor', source: 'web' } as const;
  await record(db, organizationId, 'landing_view', {
    ...visitor,
    properties: { utm_source: 'mail', utm_medium: 'email' },
  });
  await record(db, organizationId, 'upload_view', { ...visitor, minute: 1 });
  await record(db, organizationId, 'credits_granted', { userId: 'ann', minute: 2 });
  await record(db, organizationId, 'login_success', { userId: 'ann', distinctId: 'visitor', minute: 3 });
  const properties = { job_id: 'job-1' };
  await record(db, organizationId, 'processing_completed', {
    userId: 'ann',
    source: 'worker',
    minute: 4,
    properties,
  });
  await projector.run();

  expect(projector.seen(organizationId, 'identity_linked')).toHaveLength(1);
  expect(projector.seen(organizationId, 'activation_complete').map((event) => event.userId)).toEqual(['ann']);
  const [completed] = projector.seen(organizationId, 'processing_completed');
  expect(completed?.values).toMatchObject({
    first_touch_channel: 'email',
    attribution: { first_touch: { utm_source: 'mail' } },
  });
});
