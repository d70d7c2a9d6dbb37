import { loadFont } from '@remotion/fonts';
import { staticFile } from 'remotion';

type Font = { family: string; file: string; weight: string; usedBy: RegExp };

const LATIN = /[\s\S]*/;
const LATIN_EXTENDED = /[\u0100-\u02ff\u1e00-\u1eff\u20a0-\u20c0]/;
const CYRILLIC = /\p{Script=Cyrillic}/u;
const ARABIC = /\p{Script=Arabic}/u;
const HEBREW = /[\p{Script=Hebrew}\u20aa]/u;
const JAPANESE = /[\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Han}\u3000-\u303f\uff00-\uffef]/u;

/** One family per file: glyph by glyph, the browser takes the first family of a stack that has it. */
const FONTS: readonly Font[] = [
  { family: 'Bricolage', file: 'bricolage-grotesque-latin', weight: '200 800', usedBy: LATIN },
  {
    family: 'Bricolage Ext',
    file: 'bricolage-grotesque-latin-ext',
    weight: '200 800',
    usedBy: LATIN_EXTENDED,
  },
  { family: 'Young Serif', file: 'young-serif-latin', weight: '400', usedBy: LATIN },
  { family: 'Young Serif Ext', file: 'young-serif-latin-ext', weight: '400', usedBy: LATIN_EXTENDED },
  { family: 'Onest', file: 'onest-latin', weight: '100 900', usedBy: LATIN },
  { family: 'Onest Ext', file: 'onest-latin-ext', weight: '100 900', usedBy: LATIN_EXTENDED },
  { family: 'Onest Cyrillic', file: 'onest-cyrillic', weight: '100 900', usedBy: CYRILLIC },
  { family: 'Vazirmatn', file: 'vazirmatn-arabic', weight: '100 900', usedBy: ARABIC },
  { family: 'Rubik Hebrew', file: 'rubik-hebrew', weight: '300 900', usedBy: HEBREW },
  { family: 'Noto Sans JP', file: 'noto-sans-jp', weight: '100 900', usedBy: JAPANESE },
];

const WORLD = "'Onest Cyrillic', Vazirmatn, 'Rubik Hebrew', 'Noto Sans JP', sans-serif";

export const SERIF = `'Young Serif', 'Young Serif Ext', Onest, ${WORLD}`;
export const DISPLAY = `Bricolage, 'Bricolage Ext', Onest, ${WORLD}`;
export const TEXT = `Onest, 'Onest Ext', ${WORLD}`;

const loading = new Map<string, Promise<void>>();

function loadOnce({ family, file, weight }: Font): Promise<void> {
  const known = loading.get(file);
  if (known) return known;
  const started = loadFont({ family, weight, url: staticFile(`fonts/${file}.woff2`) });
  loading.set(file, started);
  return started;
}

/** Loads the font files that the text needs; a file that fails to load cancels the render. */
export async function loadFontsFor(text: string): Promise<void> {
  await Promise.all(FONTS.filter((font) => font.usedBy.test(text)).map(loadOnce));
}
