import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutText, storableText } from '../../src/core/storable-text.ts';

test('text keeps what it says, without NUL and without halves of pairs', () => {
  expect(storableText('Zoë 🙂\n\tline')).toBe('Zoë 🙂\n\tline');
  expect(storableText('a\0b')).toBe('a\ufffdb');
  expect(storableText('\ud83d')).toBe('\ufffd');
  expect(storableText('\ude42\ud83d')).toBe('\ufffd\ufffd');
});

test('any text survives UTF-8 unchanged afterwards, with the same length', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const storable = storableText(text);
      expect(Buffer.from(storable).toString()).toBe(storable);
      expect(storable).not.toContain('\0');
      expect(storable).toHaveLength(text.length);
    }),
  );
});

test('a text that is cut has the length that was asked for, and says that something is missing', () => {
  expect(cutText('short', 5)).toBe('short');
  expect(cutText('longer', 5)).toBe('long…');
});

test('a cut never leaves half of a pair', () => {
  expect(cutText('ab🙂cd', 4)).toBe('ab…');
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 30 }),
      fc.integer({ min: 1, max: 30 }),
      (text, length) => {
        const cut = cutText(text, length);
        expect(cut.length).toBeLessThanOrEqual(Math.max(length, 1));
        expect(storableText(cut)).toBe(cut);
      },
    ),
  );
});
