import { expect, test } from 'vitest';
import { entityOfProperties } from '../../../src/core/events/event-entity.ts';

test.each<[string, object, object | undefined]>([
  ['a job by its id', { job_id: ' j-1 ' }, { type: 'job', id: 'j-1' }],
  ['a recipe whose id is a number', { recipe_id: 17 }, { type: 'recipe', id: '17' }],
  ['a timer before its batch', { batch_id: 'b', timer_id: 't' }, { type: 'timer', id: 't' }],
  ['a batch before its recipe', { recipe_id: 'r', batch_id: 'b' }, { type: 'batch', id: 'b' }],
  ['what is next where an id is none', { job_id: '', order_id: 'o' }, { type: 'order', id: 'o' }],
  ['nothing for what an id cannot be', { job_id: ['j'], order_id: 1.5, item_id: 'a\nb' }, undefined],
  ['nothing for an endless one', { job_id: 'j'.repeat(201) }, undefined],
  ["nothing for the advertiser's campaign", { campaign_id: '123' }, undefined],
])('properties name %s', (_what, properties, entity) => {
  expect(entityOfProperties(properties as Record<string, unknown>)).toEqual(entity);
});
