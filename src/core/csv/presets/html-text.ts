/** Descriptions of shops are HTML; a picture shows text. */
const entities: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '–',
  mdash: '—',
  hellip: '…',
  rsquo: '’',
  lsquo: '‘',
  rdquo: '”',
  ldquo: '“',
  euro: '€',
  reg: '®',
  trade: '™',
  copy: '©',
  deg: '°',
  minus: '−',
  times: '×',
  middot: '·',
  bull: '•',
  auml: 'ä',
  ouml: 'ö',
  uuml: 'ü',
  Auml: 'Ä',
  Ouml: 'Ö',
  Uuml: 'Ü',
  szlig: 'ß',
  eacute: 'é',
  egrave: 'è',
  agrave: 'à',
  ccedil: 'ç',
};

const decodeEntity = (whole: string, name: string): string => {
  if (!name.startsWith('#')) return entities[name] ?? whole;
  const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
  const isCharacter = code >= 0x20 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff);
  return isCharacter ? String.fromCodePoint(code) : '';
};

/** Tags within a sentence; another one stands between words. */
const inline = /^<\/?(b|i|u|em|strong|span|a|sup|sub|small)\b/i;
const tagStart = /^<\/?[a-z]/i;
const silent = /^<(script|style)\b/i;

/** Like text.indexOf, for places that are asked for in rising order: each part of the text is searched once. */
const searcher = (text: string, wanted: string) => {
  let at = text.indexOf(wanted);
  return (from: number): number => {
    if (at >= 0 && at < from) at = text.indexOf(wanted, from);
    return at;
  };
};

/** Where something ends that begins with `<`, and what stands for it; null: it is text. */
type Markup = { readonly end: number; readonly by: string } | null;

const markupReader = (html: string) => {
  const [nextClose, commentEnd] = [searcher(html, '>'), searcher(html, '-->')];
  return (open: number): Markup => {
    const head = html.slice(open, open + 10);
    if (head.startsWith('<!--')) return upTo(commentEnd(open), 3, ' ');
    // To the end, where it is never closed.
    if (silent.test(head)) return upTo(html.indexOf('</', open), 0, ' ') ?? { end: html.length, by: ' ' };
    const close = nextClose(open);
    const next = html.indexOf('<', open + 1);
    if (!tagStart.test(head) || (next >= 0 && next < close)) return null;
    return upTo(close, 1, inline.test(head) ? '' : ' ');
  };
};

const upTo = (at: number, length: number, by: string): Markup => (at < 0 ? null : { end: at + length, by });

/** In one pass: a regular expression for tags takes quadratic time on a cell that is nothing but `<`. */
const withoutTags = (html: string): string => {
  const readMarkup = markupReader(html);
  const words: string[] = [];
  let done = 0;
  for (let open = html.indexOf('<'); open >= 0; open = html.indexOf('<', Math.max(open + 1, done))) {
    const markup = readMarkup(open);
    if (markup === null) continue;
    words.push(html.slice(done, open), markup.by);
    done = markup.end;
  }
  return words.join('') + html.slice(done);
};

/** The words, with a space where a tag stood between them; text without tags stays as it is. */
export const htmlToText = (html: string): string =>
  withoutTags(html)
    // WooCommerce writes line ends of a cell as these two characters.
    .replace(/\\n/g, ' ')
    .replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,8});/gi, decodeEntity)
    .replace(/\s+/g, ' ')
    .trim();

/** At most so many characters, ending with a whole word and an ellipsis. */
export const excerpt = (text: string, characters: number): string => {
  if (text.length <= characters) return text;
  const cut = text.slice(0, Math.max(0, characters - 1)).replace(/\p{Surrogate}$/u, '');
  const atWord = cut.replace(/\s+\S*$/, '');
  return `${(atWord.length > characters / 2 ? atWord : cut).replace(/[\s,;:.–—-]+$/, '')}…`;
};
