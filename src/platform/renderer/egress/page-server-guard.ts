import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { isPlaylistData, isPlaylistName, playlistReason } from './playlists.ts';

interface PageServerGuardOptions {
  readonly pageServerPort: number;
  readonly onBlocked: (url: string, reason: string) => void;
}

/** Remotion's server answers 404 here; the request cannot be taken away from it, but it can be made harmless. */
const nowhere = '/refused';

/**
 * Why Remotion may not turn this source into a frame, or null. Hosts are checked where the connection is made; here go the sources
 * that need no connection (files, and `same-as…`, which Remotion would hand to its decoder as a path) and playlists, whose
 * connections nobody could check.
 */
export const refuseMediaSource = (source: string): string | null => {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(source)?.[1]?.toLowerCase();
  if (scheme === 'data') return isPlaylistData(source) ? playlistReason : null;
  if (scheme === 'http' || scheme === 'https') return isPlaylistName(source) ? playlistReason : null;
  if (scheme === 'file') return 'files of the machine are not permitted';
  return scheme === undefined
    ? 'paths of the machine are not permitted'
    : `the scheme ${scheme}: is not permitted`;
};

const mediaSourceOf = (requestUrl: string): string | null => {
  if (!requestUrl.startsWith('/proxy') || !URL.canParse(requestUrl, 'http://localhost')) return null;
  return new URL(requestUrl, 'http://localhost').searchParams.get('src');
};

const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(::ffff:)?127\.|^::1$/.test(address);

/**
 * Guards Remotion's own page server in this process: it serves this machine only (it listens on all interfaces), and its `/proxy`
 * fetches media by URL only. Returns what takes the guard away again.
 */
export const guardPageServer = ({ pageServerPort, onBlocked }: PageServerGuardOptions): (() => void) => {
  const onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    if (socket.localPort === pageServerPort && !isLoopback(socket.remoteAddress)) socket.destroy();
  };
  const onRequest = (message: unknown): void => {
    const { request, socket } = message as { request: IncomingMessage; socket: Socket };
    if (socket.localPort !== pageServerPort) return;
    const source = mediaSourceOf(request.url ?? '');
    const reason = source === null ? null : refuseMediaSource(source);
    if (source === null || reason === null) return;
    onBlocked(source, reason);
    request.url = nowhere;
  };
  subscribe('net.server.socket', onSocket);
  subscribe('http.server.request.start', onRequest);
  return () => {
    unsubscribe('net.server.socket', onSocket);
    unsubscribe('http.server.request.start', onRequest);
  };
};
