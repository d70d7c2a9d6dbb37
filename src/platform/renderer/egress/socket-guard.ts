import { type LookupFunction, Socket } from 'node:net';
import { EgressRefused } from '../../egress/egress-refused.ts';
import { pinTo } from '../../egress/pin-addresses.ts';
import { alreadyChecked } from './checked-connection.ts';
import type { EgressPolicy } from './egress-policy.ts';

interface ConnectOptions {
  readonly host?: string | null;
  readonly port?: number | string | null;
  readonly path?: string | null;
  /** Present when the socket belongs to an HTTP request that was made by URL. */
  readonly href?: string;
  readonly lookup?: LookupFunction;
  readonly [alreadyChecked]?: true;
}

interface SocketGuardOptions {
  readonly policy: EgressPolicy;
  /** Ports of this machine that this process itself serves or has started. */
  readonly isOwnPort: (port: number) => boolean;
  readonly onBlocked: (url: string, reason: string) => void;
}

const ownHosts = new Set(['localhost', '127.0.0.1', '::1']);

/** `connect` takes an options object, (port, host), a path, or, from inside Node, an array that holds the options. */
const readOptions = (args: readonly unknown[]): ConnectOptions => {
  const first: unknown = Array.isArray(args[0]) ? args[0][0] : args[0];
  if (typeof first === 'object' && first !== null) return first;
  if (typeof first === 'string' && !/^\d+$/.test(first)) return { path: first };
  return { port: Number(first), host: typeof args[1] === 'string' ? args[1] : 'localhost' };
};

const callbackOf = (args: readonly unknown[]): (() => void) | undefined => {
  const candidates = Array.isArray(args[0]) ? args[0] : args;
  return candidates.find((value) => typeof value === 'function') as (() => void) | undefined;
};

const addressOf = (options: ConnectOptions): string =>
  options.href ??
  (options.path ? `unix:${options.path}` : `tcp://${options.host ?? 'localhost'}:${options.port}`);

/** Fails as an unknown name fails, which every client is prepared for; an error at once would come before its listeners. */
const refuseAll =
  (reason: string): LookupFunction =>
  (_host, _options, callback) =>
    setImmediate(() => callback(new EgressRefused(reason), '', 0));

const lookupBy =
  (policy: EgressPolicy, host: string, onRefused: (reason: string) => void): LookupFunction =>
  (name, options, callback) => {
    policy.resolve(host).then(
      (resolution) => {
        if (resolution.allowed) return pinTo(resolution.addresses)(name, options, callback);
        onRefused(resolution.reason);
        callback(new EgressRefused(resolution.reason), '', 0);
      },
      (error: NodeJS.ErrnoException) => callback(error, '', 0),
    );
  };

/** Null: leave the connection as it is. */
const planConnection = (options: ConnectOptions, guard: SocketGuardOptions): ConnectOptions | null => {
  if (options[alreadyChecked] === true) return null;
  const host = options.host ?? 'localhost';
  const refuse = (reason: string): ConnectOptions => {
    guard.onBlocked(addressOf(options), reason);
    return { ...options, path: null, host: 'refused.invalid', port: 1, lookup: refuseAll(reason) };
  };
  if (options.path) return refuse('local sockets are not permitted');
  if (ownHosts.has(host) && guard.isOwnPort(Number(options.port))) return null;
  const reason = guard.policy.refuseHost(host);
  if (reason !== null) return refuse(reason);
  const onRefused = (text: string): void => guard.onBlocked(addressOf(options), text);
  return { ...options, lookup: lookupBy(guard.policy, host, onRefused) };
};

/**
 * Holds the policy for this process's own connections. All of Node's clients (http, https, tls, fetch, Remotion's downloads and
 * its line to the browser) connect through this one method. Returns what takes the guard away again.
 */
export const guardSockets = (guard: SocketGuardOptions): (() => void) => {
  const original = Socket.prototype.connect;
  const guarded = function (this: Socket, ...args: unknown[]): Socket {
    const planned = planConnection(readOptions(args), guard);
    if (planned === null) return Reflect.apply(original, this, args) as Socket;
    return Reflect.apply(original, this, [planned, callbackOf(args)]) as Socket;
  };
  Socket.prototype.connect = guarded as typeof original;
  return () => {
    Socket.prototype.connect = original;
  };
};
