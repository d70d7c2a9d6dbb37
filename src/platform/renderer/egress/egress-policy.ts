import { isIP } from 'node:net';
import { normalizeHost } from '../../egress/host-name.ts';
import { refuseAddress } from '../../egress/public-address.ts';
import {
  type Resolution,
  type Resolve,
  resolveBySystem,
  resolvePublic,
} from '../../egress/resolve-public.ts';
import { parseAllowedHosts } from './allowed-hosts.ts';

export interface EgressPolicy {
  /** What can be said without a resolver: why this host may not be asked for, or null. */
  refuseHost(host: string): string | null;
  /** The addresses to connect to, all of them checked. Rejects only when the name cannot be resolved. */
  resolve(host: string): Promise<Resolution>;
}

/** Who may be talked to. Callers connect to the addresses that are returned and never resolve again. */
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

  return {
    refuseHost,
    resolve: async (host) => {
      const refusedHost = refuseHost(host);
      if (refusedHost !== null) return { allowed: false, reason: refusedHost };
      return resolvePublic(host, resolveName);
    },
  };
};
