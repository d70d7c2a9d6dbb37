import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';
import { EgressRefused } from '../../egress/egress-refused.ts';
import { pinTo } from '../../egress/pin-addresses.ts';
import type { EgressPolicy } from './egress-policy.ts';

/** Marks options whose addresses have been checked, for the guard that watches all sockets of the process. */
export const alreadyChecked = Symbol('alreadyChecked');

/** A host that does not answer must fail before the page's own patience ends, so that the failure names the host. */
const connectTimeoutMs = 10_000;

const whenConnected = (socket: Socket): Promise<Socket> =>
  new Promise((resolve, reject) => {
    socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('The host did not answer in time.')));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.off('error', reject);
      resolve(socket);
    });
  });

/** Connects to a host that the policy permits, at an address that it has checked. Rejects with EgressRefused otherwise. */
export const connectChecked = async (policy: EgressPolicy, host: string, port: number): Promise<Socket> => {
  const resolution = await policy.resolve(host);
  if (!resolution.allowed) throw new EgressRefused(resolution.reason);
  // A made-up name, so that an address is looked up, and thereby pinned, like a name.
  const options: TcpNetConnectOpts = { host: 'pinned.invalid', port, lookup: pinTo(resolution.addresses) };
  return whenConnected(connect(Object.assign(options, { [alreadyChecked]: true })));
};
