import { describe, expect, test } from 'vitest';
import {
  definitionOf,
  type EventName,
  eventCatalog,
  resolveEventName,
} from '../../../src/core/events/catalog.ts';
import {
  documentedAliases,
  documentedEndOfJob,
  documentedFamilyProperties,
  documentedMetaEvents,
  documentedNames,
  documentedNorthStars,
  documentedStages,
} from './documented-properties.ts';

const names = Object.keys(eventCatalog) as EventName[];
const having = <Value>(read: (name: EventName) => Value | undefined) =>
  Object.fromEntries(
    names.flatMap((name) => {
      const value = read(name);
      return value === undefined ? [] : [[name, value]];
    }),
  );

describe('the catalog has what the documents tell of', () => {
  test.each(documentedNames)('in %s: %s', (family, name) => {
    expect(resolveEventName(name)).toBe(name);
    expect(definitionOf(name as EventName).family).toBe(family);
  });

  test.each(Object.entries(documentedAliases))('%s is %s', (alias, name) => {
    expect(resolveEventName(alias)).toBe(name);
  });

  test('and of its own only these beside them', () => {
    const documented = new Set(documentedNames.map(([, name]) => name));
    expect(names.filter((name) => !documented.has(name)).toSorted()).toEqual([
      'coupon_applied',
      'identity_linked',
      'job_canceled',
      'webhook_endpoint_disabled',
      'webhook_endpoint_failing',
    ]);
  });

  test.each(Object.entries(documentedFamilyProperties))(
    'every event of %s may carry the properties that its document lists, and few are asked for',
    (family, properties) => {
      const events = names
        .map(definitionOf)
        .filter((event) => event.family === family && !event.ownedByService);
      expect(events.length).toBeGreaterThan(4);
      for (const { properties: schema } of events) {
        expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining([...properties]));
        const asked = Object.entries(schema.shape).filter(([, inner]) => !inner.safeParse(undefined).success);
        expect(asked.map(([property]) => property)).toEqual(family === 'jobs' ? ['job_id'] : []);
      }
    },
  );

  test.each(['processing_completed', 'processing_failed', 'job_refunded'] as const)(
    '%s may say how the job ended',
    (name) => {
      const { shape } = definitionOf(name).properties;
      expect(Object.keys(shape)).toEqual(expect.arrayContaining(documentedEndOfJob));
    },
  );

  test('the stages of the funnel', () => {
    const expected = Object.entries(documentedStages).flatMap(([stage, events]) =>
      events.map((name) => [name, stage]),
    );
    expect(having((name) => definitionOf(name).stage)).toEqual(Object.fromEntries(expected));
  });

  test('the four north stars, which no retention takes away', () => {
    expect(having((name) => definitionOf(name).northStar)).toEqual(documentedNorthStars);
    for (const name of Object.keys(documentedNorthStars))
      expect(definitionOf(name as EventName).retention, name).toBe('business');
  });

  test("Meta's standard events", () => {
    expect(having((name) => definitionOf(name).sinks?.meta)).toEqual(documentedMetaEvents);
  });

  test('what PostHog knows under a name of its own', () => {
    expect(having((name) => definitionOf(name).sinks?.posthog)).toEqual({
      page_viewed: '$pageview',
      pageleave: '$pageleave',
      identity_linked: '$identify',
    });
  });

  test('the first time counts where a sink asks for it', () => {
    const firstOnly = names.filter((name) => definitionOf(name).sinks?.meta?.firstOnly);
    for (const name of firstOnly) expect(definitionOf(name).countsUse, name).toBe(true);
  });

  test.each([
    ...[
      'onboarding_completed',
      'inventory_item_created',
      'recipe_created',
      'batch_started',
      'stock_check_run',
    ],
    ...['plan_production_requested', 'timer_started', 'product_created', 'upload_started', 'job_created'],
    ...['video_rendered', 'processing_completed', 'export_downloaded', 'login_success'],
  ] as const)('uses of %s are counted', (name) => {
    expect(definitionOf(name).countsUse).toBe(true);
  });

  test('what is sent as the documents show it is taken as it is', () => {
    const sent: readonly (readonly [EventName, Record<string, unknown>])[] = [
      ['page_viewed', { page: '/dashboard' }],
      ['page_viewed', { path: '/dashboard', duration: 120 }],
      ['button_clicked', { button: 'new-project' }],
      ['project_created', { projectId: 'abc123' }],
      ['feature_used', { feature: 'ai_generation', model: 'gpt-4', success: true }],
      ['signup_completed', { method: 'email', referrer: 'landing_page' }],
      ['batch_started', {}],
      ['purchase_completed', {}],
    ];
    for (const [name, properties] of sent)
      expect(definitionOf(name).properties.safeParse(properties).error, name).toBeUndefined();
  });
});
