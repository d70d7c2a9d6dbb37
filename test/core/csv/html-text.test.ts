import { expect, it } from 'vitest';
import { excerpt, htmlToText } from '../../../src/core/csv/presets/html-text.ts';

it.each([
  ['<p>Soft <b>cotton</b>.</p><p>Made in <em>Porto</em>.</p>', 'Soft cotton. Made in Porto.'],
  ['<ul><li>One</li><li>Two</li></ul>', 'One Two'],
  ['Salt &amp; pepper &#8211; 5&nbsp;&euro; &unknown;', 'Salt & pepper – 5 € &unknown;'],
  ['<style>p{}</style><script>alert(1)</script>Text<!-- note -->', 'Text'],
  ['line\\none\nline two<br/>three', 'line one line two three'],
  ['5 < 6 and 7 > 3', '5 < 6 and 7 > 3'],
  ['&#0;&#xD800;&#x1F600;', '😀'],
])('%j reads %j', (html, text) => {
  expect(htmlToText(html)).toBe(text);
});

it('takes time in proportion to its length, whatever it holds', () => {
  const startedAt = performance.now();
  for (const part of ['<', '<script', '<!--', '&#', '<a ', '<style><', '<a <a>', '<!-- <style </'])
    htmlToText(part.repeat(100_000));
  expect(performance.now() - startedAt).toBeLessThan(3_000);
});

it('an excerpt ends with a whole word and is never longer than was asked for', () => {
  expect(excerpt('short', 10)).toBe('short');
  expect(excerpt('one two three four', 12)).toBe('one two…');
  expect(excerpt('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
  expect(excerpt('ab😀cd', 4)).toBe('ab…');
});
