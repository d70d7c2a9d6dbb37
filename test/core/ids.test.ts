import { describe, expect, test } from 'vitest';
import { isUuid, newId } from '../../src/core/ids.ts';

describe('ids', () => {
  test('are UUIDs of version 7 with the RFC variant', () => {
    for (let round = 0; round < 200; round++) {
      expect(newId()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    }
  });

  test('begin with the milliseconds that they were made at', () => {
    const now = new Date('2026-03-10T12:00:00.123Z');
    const milliseconds = Number.parseInt(newId(now).replaceAll('-', '').slice(0, 12), 16);
    expect(milliseconds).toBe(now.getTime());
  });

  test('sort by time as text', () => {
    const ids = Array.from({ length: 100 }, (_, index) => newId(new Date(1_750_000_000_000 + index * 997)));
    expect([...ids].sort()).toEqual(ids);
  });

  test('are never the same, even in one millisecond', () => {
    const now = new Date();
    expect(new Set(Array.from({ length: 10_000 }, () => newId(now))).size).toBe(10_000);
  });

  test.each([
    ['0193f2ab-1111-7222-8333-444455556666', true],
    ['0193F2AB-1111-4222-8333-444455556666', true],
    ['00000000-0000-0000-0000-000000000000', true],
    ['0193f2ab-1111-7222-8333-44445555666', false],
    ['0193f2ab1111722283334444555566666', false],
    ['../../etc/passwd', false],
    ['', false],
    ['0193f2ab-1111-7222-8333-444455556666\n', false],
  ])('isUuid(%j) is %s', (text, expected) => {
    expect(isUuid(text)).toBe(expected);
  });
});
