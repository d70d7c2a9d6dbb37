import { isIPv6 } from 'node:net';

/**
 * One spelling per host: lower case, punycode, no brackets, no trailing dots, and addresses in their usual form (2130706433,
 * 0x7f.1 and 0177.0.0.1 are 127.0.0.1, as every client reads them). Null when it is no host at all; zone ids are none.
 */
export const normalizeHost = (host: string): string | null => {
  const bare = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
  const isAddress = isIPv6(bare);
  if (!isAddress && !/^[^\s/@?#\\:%[\]]+$/.test(bare)) return null;
  try {
    const { hostname } = new URL(`http://${isAddress ? `[${bare}]` : bare}/`);
    const name = hostname.replace(/^\[|\]$/g, '').replace(/\.+$/, '');
    return name === '' ? null : name;
  } catch {
    return null;
  }
};
