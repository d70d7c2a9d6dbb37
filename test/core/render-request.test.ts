import { describe, expect, test } from 'vitest';
import { maxLevels } from '../../src/core/nesting.ts';
import { renderRequestSchema, tenantIdSchema } from '../../src/core/render-request.ts';

const still = { userId: 'u', projectId: 'p', compositionId: 'c', kind: 'still', format: 'png' };
const video = { ...still, kind: 'video', format: 'mp4' };

const refusedPaths = (request: unknown): string[] => {
  const parsed = renderRequestSchema.safeParse(request);
  return parsed.success ? [] : parsed.error.issues.map((issue) => issue.path.join('.'));
};

describe('a render request', () => {
  test('of a still and of a video is taken, with empty props where none are given', () => {
    expect(renderRequestSchema.parse(still)).toEqual({ ...still, props: {} });
    expect(
      renderRequestSchema.parse({ ...video, frameRange: [0, 29], scale: 0.5, quality: 80 }),
    ).toMatchObject({
      frameRange: [0, 29],
      scale: 0.5,
      quality: 80,
    });
  });

  test.each([
    ['no user', { ...still, userId: undefined }, 'userId'],
    ['an empty user', { ...still, userId: '' }, 'userId'],
    ['a user with a NUL', { ...still, userId: 'a\0b' }, 'userId'],
    ['a user with a line break', { ...still, userId: 'a\nb' }, 'userId'],
    ['a user of 129 characters', { ...still, userId: 'u'.repeat(129) }, 'userId'],
    ['a project that is a number', { ...still, projectId: 5 }, 'projectId'],
    ['no composition', { ...still, compositionId: undefined }, 'compositionId'],
    ['a version that is no hash', { ...still, version: '../../etc' }, 'version'],
    ['another kind', { ...still, kind: 'audio' }, 'kind'],
    ['another format', { ...still, format: 'tiff' }, 'format'],
    ['a still as mp4', { ...still, format: 'mp4' }, 'format'],
    ['a video as png', { ...video, format: 'png' }, 'format'],
    ['a width of 0', { ...still, width: 0 }, 'width'],
    ['a width of 20,000', { ...still, width: 20_000 }, 'width'],
    ['a height that is not whole', { ...still, height: 10.5 }, 'height'],
    ['a height that is text', { ...still, height: '100' }, 'height'],
    ['a scale of 0', { ...still, scale: 0 }, 'scale'],
    ['a scale of 9', { ...still, scale: 9 }, 'scale'],
    ['a scale that is not a number', { ...still, scale: Number.NaN }, 'scale'],
    ['a quality of 0', { ...still, format: 'jpeg', quality: 0 }, 'quality'],
    ['a quality of 101', { ...still, format: 'jpeg', quality: 101 }, 'quality'],
    ['a quality for png', { ...still, quality: 80 }, 'quality'],
    ['a quality for gif', { ...video, format: 'gif', quality: 80 }, 'quality'],
    ['a frame for a video', { ...video, frame: 1 }, 'frame'],
    ['a frame range for a still', { ...still, frameRange: [0, 1] }, 'frameRange'],
    ['a frame range that ends before it starts', { ...video, frameRange: [10, 5] }, 'frameRange'],
    ['a frame range below zero', { ...video, frameRange: [-1, 5] }, 'frameRange.0'],
    ['a frame range of three', { ...video, frameRange: [0, 1, 2] }, 'frameRange'],
    ['props that are a list', { ...still, props: [] }, 'props'],
    ['props that are null', { ...still, props: null }, 'props'],
    ['an unknown property', { ...still, colour: 'red' }, ''],
  ])('with %s is refused, with the path', (_what, request, path) => {
    expect(refusedPaths(request)).toContain(path);
  });

  test('with several things wrong names each', () => {
    expect(refusedPaths({ ...still, projectId: 5, width: 0, scale: 9 })).toEqual([
      'projectId',
      'width',
      'scale',
    ]);
  });

  test('with props nested deeper than can be worked with is refused, however deep', () => {
    const nested = (levels: number): unknown => JSON.parse(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`);
    expect(refusedPaths({ ...still, props: nested(maxLevels) })).toEqual([]);
    expect(refusedPaths({ ...still, props: nested(maxLevels + 1) })).toEqual(['props']);
    for (const text of ['a\0b', '\ud800'])
      expect(refusedPaths({ ...still, props: { list: [{ text }] } })).toEqual(['props']);
    expect(refusedPaths({ ...still, props: { 'a\0b': 1 } })).toEqual(['props']);
    expect(refusedPaths({ ...still, props: { text: 'a\u{1f600}b' } })).toEqual([]);
    expect(
      refusedPaths({ ...still, props: { a: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) } }),
    ).toEqual(['props']);
  });
});

describe("a tenant's own id", () => {
  test.each(['user-1', 'a', 'Zoë Müller', 'org/user:7', 'ユーザー', 'mail@example.com', '🙂'])(
    'takes %j',
    (id) => {
      expect(tenantIdSchema.safeParse(id).success).toBe(true);
    },
  );

  test.each(['', ' a', 'a ', 'a\tb', 'a\u200bb', 'a\u202eb', '\0'])('refuses %j', (id) => {
    expect(tenantIdSchema.safeParse(id).success).toBe(false);
  });

  test('is refused in linear time, whatever it is', () => {
    const began = performance.now();
    expect(tenantIdSchema.safeParse(`${'a '.repeat(63)}a\0`).success).toBe(false);
    expect(performance.now() - began).toBeLessThan(100);
  });
});
