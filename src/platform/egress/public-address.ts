import ipaddr from 'ipaddr.js';

/** Azure's platform address lies in public space, yet answers only to the machine itself. */
const azurePlatform = '168.63.129.16';

/** Global unicast is all that IANA has given out; whatever lies outside may carry an IPv4 address in disguise (::7f00:1). */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** Why nothing may connect to this address, or null when it is an ordinary public one. */
export const refuseAddress = (address: string): string | null => {
  if (address.includes('%') || !ipaddr.isValid(address)) return `${address} is not a public address`;
  const parsed = ipaddr.parse(address);
  const range = parsed.range();
  if (range !== 'unicast') return `${address} is not a public address (${range})`;
  if (address === azurePlatform) return `${address} is not a public address (metadata)`;
  if (parsed instanceof ipaddr.IPv6 && !parsed.match(globalUnicast))
    return `${address} is not a public address`;
  return null;
};
