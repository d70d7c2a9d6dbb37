import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { installNativeCrc } from '../../../src/features/downloads/archive/native-crc.ts';

test("Node's sum is the one that archiver would have made, also over several pieces", async () => {
  const { default: shared } = await import('crc-32');
  const original = shared.buf;
  installNativeCrc();
  expect(shared.buf).not.toBe(original);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2_000 }), fc.nat(2_000), (bytes, cut) => {
      const [first, second] = [bytes.subarray(0, cut), bytes.subarray(cut)];
      const begun = original(first) >>> 0;
      expect(shared.buf(second, shared.buf(first)) >>> 0).toBe(original(second, begun) >>> 0);
      expect(shared.buf(bytes) >>> 0).toBe(crc32(bytes));
    }),
  );
});
