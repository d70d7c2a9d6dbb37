import { readdir } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';

export interface SiteFile {
  /** Relative to the site, with slashes. */
  readonly name: string;
  /** Absolute. */
  readonly path: string;
  readonly contentType: string;
}

const contentTypes: Readonly<Record<string, string>> = {
  '.avif': 'image/avif',
  '.css': 'text/css; charset=utf-8',
  '.csv': 'text/csv; charset=utf-8',
  '.gif': 'image/gif',
  '.html': 'text/html; charset=utf-8',
  '.ico': 'image/x-icon',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.m4a': 'audio/mp4',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mov': 'video/quicktime',
  '.mp3': 'audio/mpeg',
  '.mp4': 'video/mp4',
  '.ogg': 'audio/ogg',
  '.otf': 'font/otf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.txt': 'text/plain; charset=utf-8',
  '.wasm': 'application/wasm',
  '.wav': 'audio/wav',
  '.webm': 'video/webm',
  '.webp': 'image/webp',
  '.woff': 'font/woff',
  '.woff2': 'font/woff2',
  '.xml': 'application/xml',
};

export const contentTypeOf = (name: string): string =>
  contentTypes[extname(name).toLowerCase()] ?? 'application/octet-stream';

/** What a browser never asks for, and what would show the tenant's sources to whoever knows the address. */
const isPrivate = (name: string): boolean => name.endsWith('.map');

/** The files of a bundle that make up its site, by name, `index.html` not among them. */
export const listSiteFiles = async (bundlePath: string): Promise<readonly SiteFile[]> => {
  const entries = await readdir(bundlePath, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const path = join(entry.parentPath, entry.name);
      const name = relative(bundlePath, path).split(sep).join('/');
      return { name, path, contentType: contentTypeOf(name) };
    })
    .filter(({ name }) => name !== 'index.html' && !isPrivate(name))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
};
