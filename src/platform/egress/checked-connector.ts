import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { EgressRefused } from './egress-refused.ts';
import { normalizeHost } from './host-name.ts';
import { pinTo } from './pin-addresses.ts';
import { refuseAddress } from './public-address.ts';
import { type Resolve, resolvePublic } from './resolve-public.ts';

/** What it answers is what the socket connects to: between this check and the connection nobody resolves again. */
const lookupPublic =
  (resolve: Resolve): LookupFunction =>
  (host, options, callback) => {
    resolvePublic(host, resolve).then(
      (resolution) => {
        if (resolution.allowed) return pinTo(resolution.addresses)(host, options, callback);
        callback(new EgressRefused(resolution.reason), '', 0);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };

const refuseLiteral = (host: string): string | null => {
  const name = normalizeHost(host);
  return name === null || isIP(name) === 0 ? null : refuseAddress(name);
};

/**
 * Connects to public addresses only. TLS is spoken with the name of the URL, whatever address it was pinned to. A refusal is an
 * EgressRefused.
 */
export const createPublicConnector = (options: {
  readonly resolve: Resolve;
  readonly timeoutMs: number;
}): buildConnector.connector => {
  const connect = buildConnector({ timeout: options.timeoutMs, lookup: lookupPublic(options.resolve) });
  return (target, callback) => {
    // An address is not looked up, so the lookup would not see it.
    const refusal = refuseLiteral(target.hostname);
    if (refusal === null) return connect(target, callback);
    queueMicrotask(() => callback(new EgressRefused(refusal), null));
  };
};
