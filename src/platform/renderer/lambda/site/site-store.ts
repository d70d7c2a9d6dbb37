import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../../log/log.ts';
import type { BucketObjects } from '../bucket-objects.ts';
import { hookRevision, withMeasureHook } from './measure-hook.ts';
import { contentTypeOf, listSiteFiles, type SiteFile } from './site-files.ts';

/** Which bundle, and whose. */
export interface SiteOrder {
  readonly organizationId: string;
  readonly bundleVersion: string;
  readonly bundlePath: string;
}

export interface Site {
  readonly name: string;
  /** Address of its folder, with a slash at the end. */
  readonly address: string;
  /** Address of its index.html. */
  readonly serveUrl: string;
}

export interface SiteStore {
  /** Uploads the bundle unless it lies there already. Rejects with the SDK's errors. */
  ensure(order: SiteOrder): Promise<Site>;
  /** The site turned out to be gone, or part of it: the next `ensure` uploads it again, whatever lies there. */
  forget(site: Site): void;
}

const uploadsAtOnce = 8;

/** Sites can be read by whoever knows their name: it follows from what only the organization has. */
export const siteName = ({ organizationId, bundleVersion }: Omit<SiteOrder, 'bundlePath'>): string =>
  createHash('sha256')
    .update(JSON.stringify([organizationId, bundleVersion, hookRevision]))
    .digest('hex')
    .slice(0, 40);

/** With a slash at the end. */
export const siteAddressOf = (siteBaseUrl: string, order: Omit<SiteOrder, 'bundlePath'>): string =>
  `${siteBaseUrl}/sites/${siteName(order)}/`;

const inParallel = async <T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> => {
  const waiting = [...items];
  const takeAll = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, takeAll));
};

export const createSiteStore = (options: {
  readonly objects: BucketObjects;
  readonly siteBaseUrl: string;
  readonly log: Logger;
}): SiteStore => {
  const { objects, siteBaseUrl, log } = options;
  const known = new Map<string, Promise<Site>>();
  const doubted = new Set<string>();

  const upload = async (name: string, bundlePath: string): Promise<void> => {
    const files = await listSiteFiles(bundlePath);
    await inParallel(files, ({ name: file, path, contentType }: SiteFile) =>
      objects.putFile(`sites/${name}/${file}`, path, contentType),
    );
    // Last: where it lies, all lies.
    const html = withMeasureHook(await readFile(join(bundlePath, 'index.html'), 'utf8'));
    await objects.putText(`sites/${name}/index.html`, html, contentTypeOf('index.html'));
    log.info({ site: name, files: files.length + 1 }, 'site uploaded');
  };

  const find = async (name: string, order: SiteOrder): Promise<Site> => {
    if (doubted.has(name) || !(await objects.exists(`sites/${name}/index.html`))) {
      await upload(name, order.bundlePath);
      doubted.delete(name);
    }
    const address = siteAddressOf(siteBaseUrl, order);
    return { name, address, serveUrl: `${address}index.html` };
  };

  return {
    ensure: (order) => {
      const name = siteName(order);
      const found = known.get(name) ?? find(name, order);
      known.set(name, found);
      found.catch(() => known.delete(name));
      return found;
    },
    forget: ({ name }) => {
      doubted.add(name);
      known.delete(name);
    },
  };
};
