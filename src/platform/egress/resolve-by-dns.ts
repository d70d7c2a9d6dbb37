import { Resolver } from 'node:dns/promises';
import type { Resolve, ResolvedAddress } from './resolve-public.ts';

const resolver = new Resolver({ timeout: 2_000, tries: 2 });

const addresses = async (asked: Promise<readonly string[]>, family: number): Promise<ResolvedAddress[]> =>
  (await asked).map((address) => ({ address, family }));

/**
 * Asks the name servers, without the hosts file of this machine. The system's own lookup occupies one of the few threads that
 * all files and lookups of a process share, for as long as a name server does not answer; this one occupies none, so that names
 * of a stranger cannot hold up anything else.
 */
export const resolveByDns: Resolve = async (host) => {
  const [four, six] = await Promise.allSettled([
    addresses(resolver.resolve4(host), 4),
    addresses(resolver.resolve6(host), 6),
  ]);
  const found = [four, six].flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  if (found.length === 0 && four.status === 'rejected') throw four.reason;
  return found;
};
