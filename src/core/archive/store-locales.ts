/** Which folder of a store's fixed list a locale belongs to. */

export interface StoreLocales {
  readonly store: string;
  /** Every folder that the store's upload takes. */
  readonly folders: readonly string[];
  /** By lower-case BCP 47 tag or its beginning: what the store calls otherwise, and which of a language's folders is its first. */
  readonly aliases: Readonly<Record<string, string>>;
}

const list = (text: string): readonly string[] => text.trim().split(/\s+/);

/** App Store Connect since March 2026, as `fastlane deliver` names the folders. */
export const appStoreLocales: StoreLocales = {
  store: 'App Store Connect',
  folders: list(`
    ar-SA bn-BD ca cs da de-DE el en-AU en-CA en-GB en-US es-ES es-MX fi fr-CA fr-FR gu-IN he hi hr hu id it ja kn-IN ko ml-IN
    mr-IN ms nl-NL no or-IN pa-IN pl pt-BR pt-PT ro ru sk sl-SI sv ta-IN te-IN th tr uk ur-PK vi zh-Hans zh-Hant`),
  aliases: {
    en: 'en-US',
    es: 'es-ES',
    'es-419': 'es-MX',
    fr: 'fr-FR',
    pt: 'pt-BR',
    zh: 'zh-Hans',
    'zh-cn': 'zh-Hans',
    'zh-sg': 'zh-Hans',
    'zh-tw': 'zh-Hant',
    'zh-hk': 'zh-Hant',
    'zh-mo': 'zh-Hant',
    iw: 'he',
    in: 'id',
    nb: 'no',
    nn: 'no',
  },
};

/** Store listings of the Play Console, as `fastlane supply` names the folders. */
export const googlePlayLocales: StoreLocales = {
  store: 'Google Play',
  folders: list(`
    af am ar az-AZ be bg bn-BD ca cs-CZ da-DK de-DE el-GR en-AU en-CA en-GB en-IN en-SG en-US en-ZA es-419 es-ES es-US et eu-ES fa
    fa-AE fa-AF fa-IR fi-FI fil fr-CA fr-FR gl-ES gu hi-IN hr hu-HU hy-AM id is-IS it-IT iw-IL ja-JP ka-GE kk km-KH kn-IN ko-KR
    ky-KG lo-LA lt lv mk-MK ml-IN mn-MN mr-IN ms ms-MY my-MM ne-NP nl-NL no-NO pa pl-PL pt-BR pt-PT rm ro ru-RU si-LK sk sl sq sr
    sv-SE sw ta-IN te-IN th tr-TR uk ur vi zh-CN zh-HK zh-TW zu`),
  aliases: {
    en: 'en-US',
    es: 'es-ES',
    'es-mx': 'es-419',
    fr: 'fr-FR',
    pt: 'pt-BR',
    zh: 'zh-CN',
    'zh-hans': 'zh-CN',
    'zh-hant': 'zh-TW',
    'zh-hant-hk': 'zh-HK',
    'zh-mo': 'zh-HK',
    he: 'iw-IL',
    in: 'id',
    nb: 'no-NO',
    nn: 'no-NO',
    tl: 'fil',
  },
};

const languageOf = (tag: string): string => tag.split('-')[0] ?? tag;

/**
 * The folder of that very name, however it is spelled; else what the store calls it; else shorter and shorter beginnings of the
 * tag; at last the only folder of the language. Undefined: the store has none.
 */
export const storeFolderOf = ({ folders, aliases }: StoreLocales, locale: string): string | undefined => {
  const tag = locale.replaceAll('_', '-').toLowerCase();
  for (let part = tag; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('-')))) {
    const found = folders.find((folder) => folder.toLowerCase() === part) ?? aliases[part];
    if (found !== undefined) return found;
  }
  const ofLanguage = folders.filter((folder) => languageOf(folder.toLowerCase()) === languageOf(tag));
  return ofLanguage.length === 1 ? ofLanguage[0] : undefined;
};
