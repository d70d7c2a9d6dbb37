import { isIP } from 'node:net';
import { normalizeHost } from './host-name.ts';
import { refuseAddress } from './public-address.ts';

const maxLength = 2_048;

/** Names that no public resolver answers for (RFC 6761, RFC 6762, RFC 8375, and ICANN's reservation of `internal`). */
const privateNames = /(?:^|\.)(?:localhost|local|internal|home\.arpa|localdomain|lan|intranet|invalid|test)$/;

const refuseHost = (host: string): string | null => {
  const name = normalizeHost(host);
  if (name === null) return 'its host is not valid';
  if (isIP(name) !== 0) return refuseAddress(name);
  if (!name.includes('.') || privateNames.test(name)) return `${name} is a name of a private network`;
  return null;
};

/**
 * Why nothing may be sent to this URL, or null. What only a resolver can tell is not asked for here: it may change, and is
 * checked at each connection.
 */
export const refuseUrl = (text: string, options: { readonly allowPrivate: boolean }): string | null => {
  if (text.length > maxLength) return `it is longer than ${maxLength} characters`;
  if (/[\s\p{C}]/u.test(text)) return 'it holds spaces or control characters';
  const url = URL.parse(text);
  if (url === null) return 'it is not a URL';
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    return 'it begins with neither https:// nor http://';
  if (url.username !== '' || url.password !== '') return 'it holds a user name or a password';
  if (text.includes('#')) return 'it holds a fragment (#…), which is never sent';
  return options.allowPrivate ? null : refuseHost(url.hostname);
};
