/** Texts of Remotion, Node and the page, made fit for the eyes of a tenant's developer. */

import { cutText, maxReasonLength } from '../../../../core/storable-text.ts';

/** The directories of an absolute path that is not part of a URL. */
const directories = /(?:file:\/\/|(?<![\w:/.@]))\/(?:[^\s/:'"()]+\/)+/g;

/** The address of Remotion's page server, which only exists during the render. */
const pageServer = /https?:\/\/localhost:\d+\//g;

/** The first line, without stack, folders of this machine and the page server's address. */
export const publicText = (text: string): string =>
  cutText(text.split('\n')[0] ?? '', maxReasonLength)
    .replace(/^(?:Uncaught )?Error: /, '')
    .replace(pageServer, '')
    .replace(directories, '')
    .trim();

/** What the tenant wrote as `src`: a file of the project without the page server's address, or the URL, without its query. */
export const assetName = (src: string): string => {
  const proxied = /\/proxy\?.*?src=([^&]+)/.exec(src)?.[1];
  const address = proxied === undefined ? src : decodeURIComponent(proxied);
  return address
    .replace(pageServer, '')
    .replace(/^\//, '')
    .replace(/[?#].*$/s, '')
    .slice(0, 300);
};
