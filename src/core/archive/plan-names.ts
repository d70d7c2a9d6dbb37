import type { ArchiveFile, Layout } from './archive-file.ts';
import { manifestName } from './archive-file.ts';
import { planStoreFolders } from './plan-store-folders.ts';
import { safeFile, safeFolder, uniqueNames } from './safe-name.ts';
import { appStoreLocales, googlePlayLocales } from './store-locales.ts';

/** The folder of files that are for every language. */
const anyLocale = 'any';

/** Names of the entries, in the order of the files: safe in every file system and unique. Throws `layout_impossible`. */
export const planNames = (layout: Layout, files: readonly ArchiveFile[]): readonly string[] =>
  uniqueNames(placeIn[layout](files), [manifestName]);

type Place = (files: readonly ArchiveFile[]) => readonly string[];

const sizeOf = (file: ArchiveFile): string => file.size ?? `${file.width}x${file.height}`;
/** Without a device, a size is its own folder. */
const deviceFolder = (file: ArchiveFile): string => safeFolder(file.device ?? sizeOf(file), 'device');
const localeFolder = (file: ArchiveFile): string => safeFolder(file.locale ?? anyLocale, anyLocale);
const fileName = (file: ArchiveFile, ...more: readonly string[]): string =>
  safeFile([file.name, file.size ?? '', ...more], file.extension, 'file');

const placeIn: Readonly<Record<Layout, Place>> = {
  'locale-first': (files) =>
    files.map((file) => `${localeFolder(file)}/${deviceFolder(file)}/${fileName(file)}`),
  'device-first': (files) =>
    files.map((file) => `${deviceFolder(file)}/${localeFolder(file)}/${fileName(file)}`),
  flat: (files) => files.map((file) => fileName(file, file.locale ?? '')),
  // `fastlane deliver` tells devices by their pixels, and sorts a folder by name: pictures of one device stay together.
  'app-store': (files) =>
    planStoreFolders(files, appStoreLocales).map(
      ({ file, locale }) =>
        `screenshots/${locale}/${safeFile([file.device ?? sizeOf(file), file.name, file.device === null ? '' : sizeOf(file)], file.extension, 'file')}`,
    ),
  'google-play': (files) =>
    planStoreFolders(files, googlePlayLocales, playFolderOf).map(
      ({ file, locale, folder }) => `metadata/android/${locale}/images/${folder}/${fileName(file)}`,
    ),
};

/** `fastlane supply` has one folder for each kind of screen. A size that names no device is taken for a phone. */
const playFolders: Readonly<Record<string, string>> = {
  phone: 'phoneScreenshots',
  seveninch: 'sevenInchScreenshots',
  '7inch': 'sevenInchScreenshots',
  tablet7: 'sevenInchScreenshots',
  teninch: 'tenInchScreenshots',
  '10inch': 'tenInchScreenshots',
  tablet10: 'tenInchScreenshots',
  tablet: 'tenInchScreenshots',
  tv: 'tvScreenshots',
  wear: 'wearScreenshots',
  watch: 'wearScreenshots',
};

const playFolderOf = (device: string | null): string | undefined =>
  playFolders[
    (device ?? 'phone')
      .toLowerCase()
      .replace(/screenshots?$/, '')
      .replace(/[^a-z0-9]/g, '')
  ];
