/**
 * URLs in props reach the network only where the operator's list of hosts permits, never a private address, never a file. Held at
 * the three places where a request can be made: the page (all of the browser's traffic goes through our proxy), Remotion's
 * downloads in this process (every socket is checked), and the page server that turns media into frames.
 */

import { EgressRefused } from '../../egress/egress-refused.ts';
import { type BlockedRequest, createBlockedRequests } from './blocked-requests.ts';
import { writeBrowserWrapper } from './browser-wrapper.ts';
import { learnDevtoolsPorts } from './devtools-ports.ts';
import { guardDownloads } from './download-guard.ts';
import { createEgressPolicy } from './egress-policy.ts';
import { startForwardProxy } from './forward-proxy.ts';
import { guardPageServer, refuseMediaSource } from './page-server-guard.ts';
import { guardSockets } from './socket-guard.ts';

export interface EgressGuard {
  /** Give this to Remotion instead of the browser: it starts the browser behind the proxy. */
  readonly browserExecutable: string;
  /** Throws for a source that Remotion may not give to its decoders. Sounds, unlike frames, never pass the page server. */
  checkMediaSource(source: string): void;
  /** What was refused since the last call; addresses without user, password and query. */
  takeBlocked(): readonly BlockedRequest[];
  close(): Promise<void>;
}

export interface EgressGuardOptions {
  /** `cdn.example.com`, `*.example.com`, `*` for every public host; an empty list: no network. */
  readonly allowedHosts: readonly string[];
  /** Absolute path of the real browser. */
  readonly browserExecutable: string;
  /** Where Remotion's page server will listen, the one port of this machine that the page may talk to. */
  readonly pageServerPort: number;
  /** Private to this process; a small script is written there. */
  readonly directory: string;
}

/** Once per process and before its browser opens: it watches the sockets of the whole process. */
export const startEgressGuard = async (options: EgressGuardOptions): Promise<EgressGuard> => {
  const policy = createEgressPolicy({ allowedHosts: options.allowedHosts });
  const blocked = createBlockedRequests();
  const onBlocked = blocked.record;
  const proxy = await startForwardProxy({ policy, onBlocked });
  const browserExecutable = await writeBrowserWrapper({ ...options, proxyPort: proxy.port });
  const devtools = learnDevtoolsPorts(browserExecutable);
  const isOwnPort = (port: number): boolean => port === options.pageServerPort || devtools.has(port);
  const releaseSockets = guardSockets({ policy, isOwnPort, onBlocked });
  const releasePageServer = guardPageServer({ pageServerPort: options.pageServerPort, onBlocked });
  const releaseDownloads = guardDownloads(onBlocked);
  return {
    browserExecutable,
    checkMediaSource: (source) => {
      const reason = refuseMediaSource(source);
      if (reason === null) return;
      onBlocked(source, reason);
      throw new EgressRefused(reason);
    },
    takeBlocked: blocked.take,
    close: async () => {
      releaseDownloads();
      releasePageServer();
      releaseSockets();
      devtools.stop();
      await proxy.close();
    },
  };
};
