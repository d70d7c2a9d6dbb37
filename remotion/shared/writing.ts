export type Direction = 'ltr' | 'rtl';

/** Scripts written from right to left, by their ISO 15924 code. */
const RTL_SCRIPTS = new Set(['Arab', 'Hebr', 'Syrc', 'Thaa', 'Nkoo', 'Adlm', 'Rohg']);

/** Direction of a BCP 47 locale. The script decides, not the language: `ku-Arab` is right to left, `ku` is not. */
export function directionOfLocale(locale: string): Direction {
  const { script } = new Intl.Locale(locale).maximize();
  return script !== undefined && RTL_SCRIPTS.has(script) ? 'rtl' : 'ltr';
}

const FIRST_STRONG = /\p{Script=Arabic}|\p{Script=Hebrew}|\p{Script=Syriac}|\p{Script=Thaana}|\p{L}/u;
const RTL_LETTER = /[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}]/u;

/** Direction of a text without a locale: its first letter decides, as HTML's `dir="auto"` does. */
export function directionOfText(text: string): Direction {
  const letter = FIRST_STRONG.exec(text)?.[0] ?? '';
  return RTL_LETTER.test(letter) ? 'rtl' : 'ltr';
}

const ARABIC = /\p{Script=Arabic}/u;

/** Letter spacing in em that is safe for the text: it would tear apart the joined letters of Arabic. */
export function tracking(text: string, em: number): string {
  return ARABIC.test(text) ? '0' : `${em}em`;
}

/** Line height of a headline: `tight` is for alphabets with low marks, Arabic needs more room. */
export function leading(text: string, tight: number): number {
  return ARABIC.test(text) ? Math.max(tight, 1.3) : tight;
}

/** Language tag where the script tells it. With `ja`, lines break between phrases instead of anywhere. */
export function languageOfText(text: string): string | undefined {
  return /[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text) ? 'ja' : undefined;
}
