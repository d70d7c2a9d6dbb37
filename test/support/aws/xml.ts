/** An element's content: text is escaped, null is left out, a list writes its element once per entry. */
export type XmlContent = string | number | boolean | Date | null | XmlElement | readonly XmlContent[];

export interface XmlElement {
  readonly [name: string]: XmlContent;
}

const escapeText = (text: string): string =>
  text.replace(/[<>&'"\r]/g, (character) => `&#${character.charCodeAt(0)};`);

const isList = (content: XmlContent): content is readonly XmlContent[] => Array.isArray(content);

const writeContent = (content: XmlContent): string => {
  if (content instanceof Date) return content.toISOString();
  if (typeof content !== 'object' || content === null) return escapeText(String(content));
  if (isList(content)) return content.map(writeContent).join('');
  return Object.entries(content)
    .flatMap(([name, inner]) =>
      (isList(inner) ? inner : [inner])
        .filter((one) => one !== null)
        .map((one) => `<${name}>${writeContent(one)}</${name}>`),
    )
    .join('');
};

export const writeXml = (root: string, content: XmlContent, namespace?: string): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${root}${namespace ? ` xmlns="${namespace}"` : ''}>${writeContent(content)}</${root}>`;

const entities: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

const unescapeText = (text: string): string =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(\w+));/gi, (whole, hex: string, decimal: string, name: string) => {
    if (hex || decimal) return String.fromCodePoint(hex ? Number.parseInt(hex, 16) : Number(decimal));
    return entities[name] ?? whole;
  });

/** The texts of all elements of this name, at any depth: enough for the small documents that clients send. */
export const readXml = (document: string, name: string): string[] =>
  [...document.matchAll(new RegExp(`<${name}(?:\\s[^>]*)?>([\\s\\S]*?)</${name}>`, 'g'))].map(
    ([, text = '']) => unescapeText(text),
  );
