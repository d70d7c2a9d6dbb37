import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { normalizeHost } from './host-name.ts';
import { refuseAddress } from './public-address.ts';

export interface ResolvedAddress {
  readonly address: string;
  readonly family: number;
}

export type Resolve = (host: string) => Promise<readonly ResolvedAddress[]>;

export type Resolution =
  | { readonly allowed: true; readonly addresses: readonly ResolvedAddress[] }
  | { readonly allowed: false; readonly reason: string };

export const resolveBySystem: Resolve = (host) => lookup(host, { all: true, verbatim: true });

/** All addresses of a name; an address, however it is written, is its own. Rejects only when the name cannot be resolved. */
export const addressesOf = async (host: string, resolve: Resolve): Promise<readonly ResolvedAddress[]> => {
  const name = normalizeHost(host) ?? host;
  const family = isIP(name);
  return family === 0 ? resolve(name) : [{ address: name, family }];
};

/**
 * The addresses to connect to, all of them public. A name that resolves to one private address among public ones is refused
 * altogether: such a record is an attack or a mistake. Callers connect to the addresses that are returned and never resolve
 * again, so a name cannot be rebound between check and use. Rejects only when the name cannot be resolved.
 */
export const resolvePublic = async (host: string, resolve: Resolve): Promise<Resolution> => {
  const addresses = await addressesOf(host, resolve);
  const refused = addresses.map(({ address }) => refuseAddress(address)).find((reason) => reason !== null);
  if (refused !== undefined) return { allowed: false, reason: `${host} resolves to ${refused}` };
  return { allowed: true, addresses };
};
