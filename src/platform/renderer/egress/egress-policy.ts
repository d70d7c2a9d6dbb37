import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { parseAllowedHosts } from './allowed-hosts.ts';
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

export interface EgressPolicy {
  /** What can be said without a resolver: why this host may not be asked for, or null. */
  refuseHost(host: string): string | null;
  /** The addresses to connect to, all of them checked. Rejects only when the name cannot be resolved. */
  resolve(host: string): Promise<Resolution>;
}

const resolveBySystem: Resolve = (host) => lookup(host, { all: true, verbatim: true });

/**
 * Who may be talked to. A name that resolves to one private address among public ones is refused altogether: such a record is an
 * attack or a mistake. Callers connect to the addresses that are returned and never resolve again, so a name cannot be rebound
 * between check and use.
 */
export const createEgressPolicy = (options: {
  allowedHosts: readonly string[];
  resolve?: Resolve;
}): EgressPolicy => {
  const isAllowed = parseAllowedHosts(options.allowedHosts);
  const resolveName = options.resolve ?? resolveBySystem;

  const refuseHost = (host: string): string | null => {
    const name = normalizeHost(host);
    if (name === null) return 'this is not a valid host';
    if (isIP(name) !== 0) {
      const reason = refuseAddress(name);
      if (reason !== null) return reason;
    }
    return isAllowed(name) ? null : `${name} is not on the list of allowed hosts`;
  };

  const addressesOf = async (host: string): Promise<readonly ResolvedAddress[]> => {
    const name = normalizeHost(host) ?? host;
    const family = isIP(name);
    return family === 0 ? resolveName(name) : [{ address: name, family }];
  };

  return {
    refuseHost,
    resolve: async (host) => {
      const refusedHost = refuseHost(host);
      if (refusedHost !== null) return { allowed: false, reason: refusedHost };
      const addresses = await addressesOf(host);
      const refused = addresses
        .map(({ address }) => refuseAddress(address))
        .find((reason) => reason !== null);
      if (refused !== undefined) return { allowed: false, reason: `${host} resolves to ${refused}` };
      return { allowed: true, addresses };
    },
  };
};
