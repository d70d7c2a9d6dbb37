import { describe, expect, test } from 'vitest';
import {
  durationBucket,
  fileSizeBucket,
  latencyBucket,
  resolutionBucket,
  resolutionBucketOf,
} from '../../../src/core/projection/buckets.ts';
import { emailDomainType } from '../../../src/core/projection/email-domain.ts';

describe('a bucket', () => {
  test.each([
    [0, '0-10s'],
    [9.999, '0-10s'],
    [10, '10-30s'],
    [29.9, '10-30s'],
    [30, '30-60s'],
    [60, '60s+'],
    [7200, '60s+'],
  ])('of %d seconds of footage is %s', (seconds, bucket) => {
    expect(durationBucket(seconds)).toBe(bucket);
  });

  test.each([
    [0, '0-5mb'],
    [4_999_999, '0-5mb'],
    [5_000_000, '5-50mb'],
    [50_000_000, '50-150mb'],
    [149_999_999, '50-150mb'],
    [150_000_000, '150mb+'],
  ])('of %d bytes is %s', (bytes, bucket) => {
    expect(fileSizeBucket(bytes)).toBe(bucket);
  });

  test.each([
    [0, '<30s'],
    [29_999, '<30s'],
    [30_000, '30-120s'],
    [120_000, '30-120s'],
    [120_001, '>120s'],
  ])('of %d ms from request to file is %s: 30 s and 120 s are in the middle', (ms, bucket) => {
    expect(latencyBucket(ms)).toBe(bucket);
  });

  test.each([
    [640, 360, '720p'],
    [1280, 720, '720p'],
    [1200, 628, '720p'],
    [1080, 1080, '1080p'],
    [1080, 1920, '1080p'],
    [2560, 1440, '1080p'],
    [3840, 2160, '4k'],
    [2160, 3840, '4k'],
  ])('of %d × %d pixels goes by the shorter side: %s', (width, height, bucket) => {
    expect(resolutionBucket(width, height)).toBe(bucket);
    expect(resolutionBucketOf(`${width}x${height}`)).toBe(bucket);
  });

  test.each([
    ['1080p', '1080p'],
    ['4K', '4k'],
    ['480p', '720p'],
    ['1920 × 1080', '1080p'],
    ['', undefined],
    ['large', undefined],
    ['1080x', undefined],
    ['9999999999x1', undefined],
  ])('of the resolution %j is %s', (text, bucket) => {
    expect(resolutionBucketOf(text)).toBe(bucket);
  });
});

describe('the domain of an address', () => {
  test.each([
    ['ann@gmail.com', 'gmail'],
    [' Ann@GoogleMail.com ', 'gmail'],
    ['ann@gmail.com.', 'gmail'],
    ['ann@outlook.com', 'custom'],
    ['ann@yahoo.co.uk', 'custom'],
    ['ann@hotmail.fr', 'custom'],
    ['ann@web.de', 'custom'],
    ['ann@proton.me', 'custom'],
    ['ann@acme.com', 'work'],
    ['ann@mail.acme.co.uk', 'work'],
    ['ann@yahoo.acme.com', 'work'],
    ['ann@gmail.com.evil.example', 'work'],
    ['ann@notgmail.com', 'work'],
    ['ann', undefined],
    ['@gmail.com', undefined],
    ['ann@localhost', undefined],
    ['ann@b@gmail.com', undefined],
    ['', undefined],
    [`${'a'.repeat(400)}@gmail.com`, undefined],
  ])('of %j is %s', (address, type) => {
    expect(emailDomainType(address)).toBe(type);
  });
});
