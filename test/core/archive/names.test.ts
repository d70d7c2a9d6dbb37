import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ArchiveFile, type Layout, layouts } from '../../../src/core/archive/archive-file.ts';
import { planNames } from '../../../src/core/archive/plan-names.ts';

const aFile = (given: Partial<ArchiveFile> = {}): ArchiveFile => ({
  name: 'lamp',
  locale: 'de-DE',
  size: 'square',
  device: 'phone',
  width: 1080,
  height: 1080,
  extension: 'png',
  ...given,
});
const nameOf = (layout: Layout, given: Partial<ArchiveFile> = {}) => planNames(layout, [aFile(given)])[0];

describe('a layout puts a file', () => {
  test.each<[Layout, Partial<ArchiveFile>, string]>([
    ['locale-first', {}, 'de-DE/phone/lamp-square.png'],
    ['locale-first', { locale: null }, 'any/phone/lamp-square.png'],
    ['locale-first', { device: null }, 'de-DE/square/lamp-square.png'],
    ['locale-first', { size: null, device: null, locale: null }, 'any/1080x1080/lamp.png'],
    ['device-first', {}, 'phone/de-DE/lamp-square.png'],
    ['device-first', { locale: null, device: null }, 'square/any/lamp-square.png'],
    ['flat', {}, 'lamp-square-de-DE.png'],
    ['flat', { locale: null }, 'lamp-square.png'],
    ['flat', { size: null, locale: null }, 'lamp.png'],
    ['app-store', {}, 'screenshots/de-DE/phone-lamp-square.png'],
    ['app-store', { device: null }, 'screenshots/de-DE/square-lamp.png'],
    ['google-play', {}, 'metadata/android/de-DE/images/phoneScreenshots/lamp-square.png'],
    ['google-play', { device: null }, 'metadata/android/de-DE/images/phoneScreenshots/lamp-square.png'],
    ['google-play', { device: 'Tablet' }, 'metadata/android/de-DE/images/tenInchScreenshots/lamp-square.png'],
    [
      'google-play',
      { device: '7-inch' },
      'metadata/android/de-DE/images/sevenInchScreenshots/lamp-square.png',
    ],
    [
      'google-play',
      { device: 'sevenInchScreenshots' },
      'metadata/android/de-DE/images/sevenInchScreenshots/lamp-square.png',
    ],
    ['google-play', { device: 'TV' }, 'metadata/android/de-DE/images/tvScreenshots/lamp-square.png'],
    ['google-play', { device: 'wear' }, 'metadata/android/de-DE/images/wearScreenshots/lamp-square.png'],
  ])('%s %j at %s', (layout, given, expected) => {
    expect(nameOf(layout, given)).toBe(expected);
  });
});

describe('a name', () => {
  test.each([
    ['../../etc/passwd', 'etc-passwd'],
    ['/absolute', 'absolute'],
    ['C:\\Windows\\x', 'C-Windows-x'],
    ['a\u0000b\u001fc\u007f', 'a-b-c'],
    ['evil\u202egnp', 'evil-gnp'],
    ['con', '_con'],
    ['NUL', '_NUL'],
    ['Com1', '_Com1'],
    ['lpt³', '_lpt³'],
    ['console', 'console'],
    ['dots...', 'dots'],
    ['space ', 'space'],
    ['.hidden', 'hidden'],
    ['-rf', 'rf'],
    ['', 'file'],
    ['🙂', 'file'],
    ['..', 'file'],
    ['\u0301', 'file'],
    // Decomposed, as macOS gives names.
    ['Fru\u0308hling', 'Frühling'],
    ['हिन्दी', 'हिन्दी'],
    ['ユーザー', 'ユーザー'],
    ['سلام', 'سلام'],
    ['a\ud800b', 'a-b'],
    ['ü'.repeat(200), 'ü'.repeat(36)],
  ])('made of %j is %s', (name, expected) => {
    expect(nameOf('flat', { name, size: null, locale: null })).toBe(`${expected}.png`);
  });

  test('is one of a kind, also where case does not count, and leaves the manifest its own', () => {
    const names = ['Lamp', 'lamp', 'LAMP', 'lamp-2', 'STRASSE', 'straße', 'lamp'];
    const planned = planNames(
      'flat',
      names.map((name) => aFile({ name, size: null, locale: null })),
    );
    expect(planned).toEqual([
      'Lamp.png',
      'lamp-2.png',
      'LAMP-3.png',
      'lamp-2-2.png',
      'STRASSE.png',
      'straße-2.png',
      'lamp-4.png',
    ]);
    const manifest = aFile({ name: 'Manifest', size: null, locale: null, extension: 'json' });
    expect(planNames('flat', [manifest])).toEqual(['Manifest-2.json']);
  });

  const wild = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 120 }),
    fc.constantFrom('con', 'AUX', '..', ' ', 'é', 'e\u0301', 'X', 'x'),
  );
  const file = fc.record({
    name: wild,
    locale: fc.option(wild),
    size: fc.option(wild),
    device: fc.option(wild),
    width: fc.integer({ min: 1, max: 8192 }),
    height: fc.integer({ min: 1, max: 8192 }),
    extension: fc.constantFrom('png', 'jpg', 'mp4'),
  });

  test('is safe in every file system, whatever it was made of', () => {
    fc.assert(
      fc.property(
        fc.array(file, { maxLength: 40 }),
        fc.constantFrom(...layouts.slice(0, 3)),
        (files, layout) => {
          const names = planNames(layout, files);
          expect(names).toHaveLength(files.length);
          expect(new Set(names.map((name) => name.normalize('NFD').toLowerCase())).size).toBe(files.length);
          for (const segment of names.flatMap((name) => name.split('/'))) {
            expect(segment).toMatch(/^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._-]*$/u);
            expect(segment).not.toMatch(/[. -]$/);
            expect(segment).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i);
            expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(255);
            expect(segment).toBe(segment.normalize('NFC'));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test('of a hundred thousand files of one name is found in a moment', () => {
    const files = Array.from({ length: 100_000 }, () => aFile());
    const start = performance.now();
    expect(new Set(planNames('flat', files)).size).toBe(100_000);
    expect(performance.now() - start).toBeLessThan(5_000);
  });
});
