import { expect, test } from 'vitest';
import { dateMark } from '../../../../src/core/revive-dates.ts';
import { dateMark as markInTheBundle } from '../../../../src/platform/renderer/bundle/entry/schema/zod-kind.ts';

test('the mark that the describing page sets is the one that the worker reads', () => {
  expect(markInTheBundle).toBe(dateMark);
});
