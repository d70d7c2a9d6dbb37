import { describe, expect, test } from 'vitest';
import type { ArchiveFile } from '../../../src/core/archive/archive-file.ts';
import { planNames } from '../../../src/core/archive/plan-names.ts';
import {
  appStoreLocales,
  googlePlayLocales,
  storeFolderOf,
} from '../../../src/core/archive/store-locales.ts';

describe('the folder of a locale', () => {
  test.each([
    ['de', 'de-DE', 'de-DE'],
    ['de-DE', 'de-DE', 'de-DE'],
    ['de_de', 'de-DE', 'de-DE'],
    ['DE-AT', 'de-DE', 'de-DE'],
    ['en', 'en-US', 'en-US'],
    ['en_GB', 'en-GB', 'en-GB'],
    ['en-IE', 'en-US', 'en-US'],
    ['en-IN', 'en-US', 'en-IN'],
    ['pt', 'pt-BR', 'pt-BR'],
    ['pt-PT', 'pt-PT', 'pt-PT'],
    ['es', 'es-ES', 'es-ES'],
    ['es-MX', 'es-MX', 'es-419'],
    ['es-419', 'es-MX', 'es-419'],
    ['fr-CA', 'fr-CA', 'fr-CA'],
    ['fr-BE', 'fr-FR', 'fr-FR'],
    ['zh', 'zh-Hans', 'zh-CN'],
    ['zh-CN', 'zh-Hans', 'zh-CN'],
    ['zh-Hans', 'zh-Hans', 'zh-CN'],
    ['zh-Hans-CN', 'zh-Hans', 'zh-CN'],
    ['zh-TW', 'zh-Hant', 'zh-TW'],
    ['zh-HK', 'zh-Hant', 'zh-HK'],
    ['zh_Hant_HK', 'zh-Hant', 'zh-HK'],
    ['he', 'he', 'iw-IL'],
    ['iw', 'he', 'iw-IL'],
    ['he-IL', 'he', 'iw-IL'],
    ['no', 'no', 'no-NO'],
    ['nb-NO', 'no', 'no-NO'],
    ['id', 'id', 'id'],
    ['in', 'id', 'id'],
    ['id-ID', 'id', 'id'],
    ['ja', 'ja', 'ja-JP'],
    ['ja-JP', 'ja', 'ja-JP'],
    ['ko-KR', 'ko', 'ko-KR'],
    ['ar', 'ar-SA', 'ar'],
    ['ar-EG', 'ar-SA', 'ar'],
    ['hi', 'hi', 'hi-IN'],
    ['ur', 'ur-PK', 'ur'],
    ['sl', 'sl-SI', 'sl'],
    ['ms-MY', 'ms', 'ms-MY'],
    ['fa', undefined, 'fa'],
    ['sw', undefined, 'sw'],
    ['tlh', undefined, undefined],
    ['xx-YY', undefined, undefined],
  ])('%s is %s at Apple and %s at Google', (locale, apple, google) => {
    expect(storeFolderOf(appStoreLocales, locale)).toBe(apple);
    expect(storeFolderOf(googlePlayLocales, locale)).toBe(google);
  });

  test.each([appStoreLocales, googlePlayLocales])(
    '$store: each of its own folders is itself, and each alias leads to one',
    (store) => {
      expect(new Set(store.folders).size).toBe(store.folders.length);
      for (const folder of store.folders) {
        expect(storeFolderOf(store, folder)).toBe(folder);
        expect(storeFolderOf(store, folder.toLowerCase().replaceAll('-', '_'))).toBe(folder);
      }
      for (const folder of Object.values(store.aliases)) expect(store.folders).toContain(folder);
    },
  );

  test('Apple has fifty', () => {
    expect(appStoreLocales.folders).toHaveLength(50);
  });
});

describe('a store layout is impossible', () => {
  const aFile = (given: Partial<ArchiveFile>): ArchiveFile => ({
    name: 'lamp',
    locale: 'de',
    size: 'square',
    device: 'phone',
    width: 1,
    height: 1,
    extension: 'png',
    ...given,
  });
  const refusal = (layout: 'app-store' | 'google-play', ...files: readonly Partial<ArchiveFile>[]) => {
    try {
      planNames(layout, files.map(aFile));
    } catch (error) {
      return error;
    }
    return undefined;
  };

  test('for locales that the store does not have: all of them are named, and what is allowed', () => {
    expect(refusal('app-store', { locale: 'tlh' }, {}, { locale: 'fa' }, { locale: 'tlh' })).toMatchObject({
      code: 'layout_impossible',
      message: expect.stringContaining(
        'App Store Connect has no folder for the locales "tlh", "fa". Allowed: ar-SA,',
      ),
      details: { locales: ['tlh', 'fa'], allowed: appStoreLocales.folders },
    });
  });

  test('for variants without a locale', () => {
    expect(refusal('google-play', { locale: null })).toMatchObject({
      code: 'layout_impossible',
      message: expect.stringContaining('no locale'),
      details: { locales: [null] },
    });
  });

  test('for two languages that would be mixed in one folder, but not for two spellings of one', () => {
    expect(refusal('app-store', { locale: 'de-AT' }, { locale: 'de-DE' })).toMatchObject({
      code: 'layout_impossible',
      details: { locales: ['de-AT', 'de-DE'], folder: 'de-DE' },
    });
    expect(refusal('app-store', { locale: 'de_DE' }, { locale: 'de-de' })).toBeUndefined();
  });

  test('for videos, and at Google for devices that have no folder', () => {
    expect(refusal('app-store', { extension: 'mp4' })).toMatchObject({
      code: 'layout_impossible',
      details: { extensions: ['mp4'] },
    });
    expect(refusal('google-play', { device: 'banner' })).toMatchObject({
      code: 'layout_impossible',
      details: { devices: ['banner'] },
    });
  });
});
