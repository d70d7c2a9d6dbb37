import { describe, expect, it } from 'vitest';
import { isNameFilter, matchesNames } from '../../../src/core/delivery/match-names.ts';

describe('a filter of event names', () => {
  it.each([
    [['video_rendered'], 'video_rendered', true],
    [['video_rendered'], 'video_rendered_twice', false],
    [['batch_*'], 'batch_completed', true],
    [['batch_*'], 'batch', false],
    [['batch_*'], 'a_batch_completed', false],
    [['video_rendered', 'batch_*'], 'batch_failed', true],
    [['*'], 'Anything: at all', true],
    [[], 'video_rendered', false],
    [['__proto__'], 'constructor', false],
  ])('%j takes %s: %s', (filters, name, taken) => expect(matchesNames(filters, name)).toBe(taken));

  it.each(['video_rendered', 'batch_*', 'a*', '*', 'a'.repeat(100)])('may be %s', (text) =>
    expect(isNameFilter(text)).toBe(true),
  );

  it.each([
    '',
    '**',
    '*_failed',
    'batch_*_failed',
    'Batch',
    '_x',
    'a b',
    'a\0',
    'é',
    `${'a'.repeat(101)}`,
    '__proto__',
  ])('may not be "%s"', (text) => expect(isNameFilter(text)).toBe(false));
});
