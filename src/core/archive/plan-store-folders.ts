import { RendermillError } from '../errors.ts';
import type { ArchiveFile } from './archive-file.ts';
import { type StoreLocales, storeFolderOf } from './store-locales.ts';

export interface StorePlace {
  readonly file: ArchiveFile;
  readonly locale: string;
  readonly folder: string;
}

const storeExtensions: readonly string[] = ['png', 'jpg'];
const devicesAllowed: readonly string[] = ['phone', 'seven-inch', 'ten-inch', 'tablet', 'tv', 'wear'];

/** Where a store wants each file. Throws `layout_impossible` with everything that has no place, and what is allowed. */
export const planStoreFolders = (
  files: readonly ArchiveFile[],
  locales: StoreLocales,
  folderOf: (device: string | null) => string | undefined = () => '',
): readonly StorePlace[] => {
  refuseFormats(files, locales);
  const folders = localeFolders(files, locales);
  const unknown = distinct(
    files.flatMap(({ device }) => (folderOf(device) === undefined ? [device ?? ''] : [])),
  );
  if (unknown.length > 0) {
    throw new RendermillError('layout_impossible', {
      message: `${locales.store} has no screenshots for the devices ${quoted(unknown)}. Allowed: ${devicesAllowed.join(', ')}.`,
      details: { devices: unknown, allowed: devicesAllowed },
    });
  }
  return files.map((file) => ({
    file,
    locale: folders.get(file.locale) ?? '',
    folder: folderOf(file.device) ?? '',
  }));
};

const distinct = <T>(values: readonly T[]): readonly T[] => [...new Set(values)];
const quoted = (values: readonly string[]): string => values.map((value) => `"${value}"`).join(', ');

const refuseFormats = (files: readonly ArchiveFile[], { store }: StoreLocales): void => {
  const wrong = distinct(files.map((file) => file.extension)).filter((one) => !storeExtensions.includes(one));
  if (wrong.length === 0) return;
  throw new RendermillError('layout_impossible', {
    message: `${store} takes screenshots as png or jpeg; these files are ${wrong.join(', ')}. Use another layout.`,
    details: { extensions: wrong, allowed: storeExtensions },
  });
};

const localeFolders = (
  files: readonly ArchiveFile[],
  locales: StoreLocales,
): ReadonlyMap<string | null, string> => {
  const all = distinct(files.map((file) => file.locale));
  const found = new Map(
    all.flatMap((locale) => {
      const folder = locale === null ? undefined : storeFolderOf(locales, locale);
      return folder === undefined ? [] : [[locale, folder] as const];
    }),
  );
  const missing = all.filter((locale) => !found.has(locale));
  if (missing.length > 0) {
    const named = missing.filter((locale) => locale !== null);
    const reasons = [
      ...(named.length === 0 ? [] : [`${locales.store} has no folder for the locales ${quoted(named)}.`]),
      ...(missing.includes(null) ? ['Some variants have no locale, and a store sorts by it.'] : []),
    ];
    throw new RendermillError('layout_impossible', {
      message: `${reasons.join(' ')} Allowed: ${locales.folders.join(', ')}.`,
      details: { locales: missing, allowed: locales.folders },
    });
  }
  refuseShared(found, locales);
  return found;
};

/** Two languages in one folder would be shown mixed. */
const refuseShared = (found: ReadonlyMap<string | null, string>, { store }: StoreLocales): void => {
  const spelled = new Map<string, string>();
  for (const [locale, folder] of found) {
    const tag = (locale ?? '').replaceAll('_', '-');
    const other = spelled.get(folder);
    if (other !== undefined && other.toLowerCase() !== tag.toLowerCase()) {
      throw new RendermillError('layout_impossible', {
        message: `${store} has one folder, ${folder}, for the locales "${other}" and "${tag}". Leave one of them out, or use another layout.`,
        details: { locales: [other, tag], folder },
      });
    }
    spelled.set(folder, tag);
  }
};
