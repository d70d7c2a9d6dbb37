import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { EgressRefused } from '../../egress/egress-refused.ts';
import { isPlaylistContent, playlistReason, probedBytes } from './playlists.ts';

/** What the page itself asked for goes to the page, not to a decoder. */
const pageRequests = new WeakSet<ClientRequest>();

export const markPageRequest = (request: ClientRequest): void => {
  pageRequests.add(request);
};

const addressOf = (request: ClientRequest): string =>
  `${request.protocol}//${request.getHeader('host') ?? request.host}${request.path}`;

/**
 * Whatever a playlist is called, it is recognised by what it holds. The body is held back at the first sign, so that the download
 * can only fail: were its end passed on, the decoder would be given the file.
 */
const inspectBody = (response: IncomingMessage, onPlaylist: () => void): void => {
  const push = response.push.bind(response);
  let head = Buffer.alloc(0);
  let refused = false;
  response.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (refused) return false;
    if (!Buffer.isBuffer(chunk) || head.length >= probedBytes) return push(chunk, encoding);
    head = Buffer.concat([head, chunk]);
    if (!isPlaylistContent(head)) return push(chunk, encoding);
    refused = true;
    onPlaylist();
    // Whoever asked listens for errors only after it has got the response.
    setImmediate(() => response.destroy(new EgressRefused(playlistReason)));
    return false;
  };
};

/** Fails Remotion's own downloads, all of which end up in a decoder, when they are playlists. Returns what takes the guard away. */
export const guardDownloads = (onBlocked: (url: string, reason: string) => void): (() => void) => {
  const onResponse = (message: unknown): void => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    if (pageRequests.has(request)) return;
    inspectBody(response, () => onBlocked(addressOf(request), playlistReason));
  };
  subscribe('http.client.response.finish', onResponse);
  return () => void unsubscribe('http.client.response.finish', onResponse);
};
