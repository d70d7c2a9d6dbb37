import { describe, expect, test } from 'vitest';
import { moovHasSound, readBox } from '../../../src/core/media/mp4-sound.ts';
import { webmHasSound } from '../../../src/core/media/webm-sound.ts';

const u32 = (value: number) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value]);
const box = (type: string, ...bodies: Buffer[]) => {
  const body = Buffer.concat(bodies);
  return Buffer.concat([u32(body.length + 8), Buffer.from(type), body]);
};
const track = (handler: string) =>
  box('trak', box('tkhd'), box('mdia', box('mdhd'), box('hdlr', Buffer.alloc(8), Buffer.from(handler))));

describe('the box moov', () => {
  test.each([
    [['vide'], false],
    [['vide', 'soun'], true],
    [['soun'], true],
    [['text'], false],
    [[], null],
  ])('with tracks %j: %s', (handlers, sound) => {
    expect(moovHasSound(Buffer.concat([box('mvhd'), ...handlers.map(track)]))).toBe(sound);
  });

  test('has a word "soun" that is no track of sound', () => {
    expect(moovHasSound(Buffer.concat([box('udta', Buffer.from('soun')), track('vide')]))).toBe(false);
  });
});

describe('the header of a box', () => {
  test('has a size of 32 or 64 bits, or goes to the end of the file', () => {
    const type = Buffer.from('mdat');
    expect(readBox(Buffer.concat([u32(24), type]))).toEqual({
      type: 'mdat',
      headerBytes: 8,
      sizeInBytes: 24,
    });
    const large = Buffer.concat([u32(1), type, u32(1), u32(0)]);
    expect(readBox(large)).toEqual({ type: 'mdat', headerBytes: 16, sizeInBytes: 2 ** 32 });
    expect(readBox(Buffer.concat([u32(0), type]))).toEqual({
      type: 'mdat',
      headerBytes: 8,
      sizeInBytes: null,
    });
  });

  test.each([2, 7])('is none with a size of %i, which would lead nowhere', (size) => {
    expect(readBox(Buffer.concat([u32(size), Buffer.from('mdat'), Buffer.alloc(8)]))).toBeUndefined();
  });
});

const element = (id: readonly number[], body: Buffer, size?: readonly number[]) =>
  Buffer.concat([
    Buffer.from([...id]),
    Buffer.from(size ?? [0x40 | (body.length >> 8), body.length & 0xff]),
    body,
  ]);
const ebml = element([0x1a, 0x45, 0xdf, 0xa3], Buffer.alloc(4));
const cluster = element([0x1f, 0x43, 0xb6, 0x75], Buffer.alloc(9));
const entry = (type: number) => element([0xae], element([0x83], Buffer.from([type])));
const tracks = (...types: number[]) => element([0x16, 0x54, 0xae, 0x6b], Buffer.concat(types.map(entry)));
const segment = (children: Buffer[], size?: readonly number[]) =>
  Buffer.concat([ebml, element([0x18, 0x53, 0x80, 0x67], Buffer.concat(children), size)]);

describe('the head of a WebM', () => {
  test.each([
    [[1], false],
    [[1, 2], true],
    [[2], true],
    [[], false],
  ])('with tracks of type %j: %s', (types, sound) => {
    expect(webmHasSound(segment([tracks(...types), cluster]))).toBe(sound);
  });

  test('whose segment has no known size, as of a stream, is read all the same', () => {
    expect(webmHasSound(segment([tracks(1, 2)], [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))).toBe(
      true,
    );
    const filler = element([0xec], Buffer.alloc(200));
    expect(webmHasSound(segment([filler, tracks(1, 2)], [0xff]))).toBe(true);
  });

  test('that ends before its tracks, or begins with pictures, does not tell', () => {
    expect(webmHasSound(segment([tracks(1, 2)]).subarray(0, -1))).toBeNull();
    expect(webmHasSound(segment([cluster, tracks(1, 2)]))).toBeNull();
    expect(webmHasSound(Buffer.alloc(0))).toBeNull();
    expect(webmHasSound(Buffer.alloc(100))).toBeNull();
  });
});
