/**
 * How often may be asked within a minute: by a key, by an address without a valid one, and by an address with a publishable key, which
 * everybody has who has seen the page. An address of IPv6 is its /64, which is what a device has; a customer may have 256 of these, or
 * 65,536: so its /48 is counted besides, with a higher limit. Counted in windows of a minute that begin with their first request; in Redis for all processes
 * together where there is one, else in each process for itself. Where Redis fails requests pass: who cannot count must not refuse.
 */
import { createHash } from 'node:crypto';
import { isIPv6 } from 'node:net';
import rateLimit from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RendermillError } from '../../core/errors.ts';
import type { Logger } from '../log/log.ts';
import { LocalCounts, steadyMs } from './local-counts.ts';
import { createRefusalLog } from './refusal-log.ts';
import type { HttpServer } from './server.ts';

/** Requests within a minute; 0: no limit. */
export interface RateLimits {
  /** Of one key that is not publishable. */
  readonly secret: number;
  readonly publishable: number;
  /** Of IPv6 a /64; its /48 has ten times as many. */
  readonly address: number;
}

/** Where all processes count together. */
export interface SharedCounts {
  /** A connection of ioredis that fails instead of waiting. */
  readonly client: unknown;
  readonly report: (error: unknown) => void;
}

export interface RequestLimitsOptions {
  readonly perMinute: RateLimits;
  /** Null: each process counts for itself. */
  readonly shared: SharedCounts | null;
  readonly log: Logger;
}

/** Whose key it is. */
export interface Caller {
  readonly kind: string;
  readonly keyId: string;
  readonly organizationId: string;
}

/** Each throws `rate_limited`. */
export interface RequestLimits {
  /** Before the key is looked up: whether its address may try one more. A key that was valid here before may always be tried. */
  assertMayTry(request: FastifyRequest): Promise<void>;
  /** The key was not valid, or there was none. */
  countFailure(request: FastifyRequest): Promise<void>;
  /** The key was valid. Tells of the limit in the headers `ratelimit-*`. */
  count(request: FastifyRequest, reply: FastifyReply, caller: Caller): Promise<void>;
  /** How often this process has refused. */
  refused(): Readonly<Record<LimitedBy, number>>;
}

/** Which limit it was: of a key, of an address or a network without a valid key, of one with a publishable key. */
type LimitedBy =
  | 'secret_key'
  | 'publishable_key'
  | 'address'
  | 'network'
  | 'publishable_address'
  | 'publishable_network';

const windowSeconds = 60;
/** A proxy may hand on whatever its client called itself. */
const mostAddressLength = 64;
/** After a failure of Redis nobody waits for it for so long. */
const pauseMs = 1_000;
const mostKnownKeys = 10_000;

/** Nobody else's requests with it. */
interface Standing {
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until the count begins anew. */
  readonly reset: number;
  readonly isExceeded: boolean;
}

/** Half of what a publishable key may with the defaults: no network uses that up alone, and many people share one. */
const addressesPerNetwork = 10;

export const openRequestLimits = async (
  server: HttpServer,
  { perMinute, shared, log }: RequestLimitsOptions,
): Promise<RequestLimits> => {
  const store =
    shared === null ? { store: LocalCounts } : { redis: shared.client, nameSpace: 'rendermill-requests:' };
  await server.register(rateLimit, { global: false, ...store });
  const countOf = createCounter(server, shared);
  const [bySecret, byPublishable, byAddress, byNetwork] = [
    countOf(perMinute.secret),
    countOf(perMinute.publishable),
    countOf(perMinute.address),
    countOf(perMinute.address * addressesPerNetwork),
  ];
  const valid = createKnownKeys();
  const refused: Record<LimitedBy, number> = {
    secret_key: 0,
    publishable_key: 0,
    address: 0,
    network: 0,
    publishable_address: 0,
    publishable_network: 0,
  };
  const tell = createRefusalLog(log);

  const refuse = (request: FastifyRequest, refusal: Refusal): never => {
    const { by, counted, standing, caller, network } = refusal;
    refused[by] += 1;
    const { ip, routeOptions } = request;
    const { keyId, organizationId } = caller ?? {};
    tell(
      counted,
      {
        by,
        ...(keyId === undefined ? {} : { keyId }),
        ...(organizationId === undefined ? {} : { organizationId }),
        address: ip.slice(0, mostAddressLength),
        ...(network === undefined ? {} : { network }),
        limit: standing.limit,
        route: routeOptions.url ?? 'none',
      },
      toldOf[by],
    );
    throw rateLimited(standing, whoseIs[by]);
  };

  /** The address first: what that refuses is not counted against its neighbours. */
  const assertPlace = async (request: FastifyRequest, place: Place): Promise<void> => {
    const { prefix, caller, isOver, how } = place;
    const [ofAddress, ofNetwork] = caller
      ? (['publishable_address', 'publishable_network'] as const)
      : (['address', 'network'] as const);
    const address = `${prefix}:${addressOf(request)}`;
    const standing = await byAddress(request, address, how);
    if (standing !== null && isOver(standing))
      refuse(request, { by: ofAddress, counted: address, standing, caller });
    const network = networkOf(request);
    if (network === null) return;
    const counted = `${prefix}-network:${network}`;
    const together = await byNetwork(request, counted, how);
    if (together !== null && isOver(together))
      refuse(request, { by: ofNetwork, counted, standing: together, caller, network: `${network}/48` });
  };

  return {
    assertMayTry: async (request) => {
      if (valid.has(request)) return;
      const how = { increment: false };
      await assertPlace(request, { prefix: 'stranger', isOver: ({ remaining }) => remaining === 0, how });
    },
    countFailure: async (request) => {
      valid.drop(request);
      await assertPlace(request, { prefix: 'stranger', isOver: ({ isExceeded }) => isExceeded });
    },
    count: async (request, reply, caller) => {
      valid.add(request);
      const isPublic = caller.kind === 'publishable';
      const prefix = `browser:${caller.keyId}`;
      if (isPublic) await assertPlace(request, { prefix, caller, isOver: ({ isExceeded }) => isExceeded });
      const counted = `key:${caller.keyId}`;
      const standing = await (isPublic ? byPublishable : bySecret)(request, counted);
      if (standing === null) return;
      reply.headers({
        'ratelimit-limit': String(standing.limit),
        'ratelimit-remaining': String(standing.remaining),
        'ratelimit-reset': String(standing.reset),
      });
      const by = isPublic ? 'publishable_key' : 'secret_key';
      if (standing.isExceeded) refuse(request, { by, counted, standing, caller });
    },
    refused: () => refused,
  };
};

interface Refusal {
  readonly by: LimitedBy;
  /** Under which name. */
  readonly counted: string;
  readonly standing: Standing;
  readonly caller?: Caller | undefined;
  readonly network?: string;
}

/** Where a request comes from, and with what. */
interface Place {
  readonly prefix: string;
  /** Of a publishable key; absent: no valid key. */
  readonly caller?: Caller;
  readonly isOver: (standing: Standing) => boolean;
  readonly how?: { readonly increment: boolean };
}

/** For the one who is refused. */
const whoseIs: Readonly<Record<LimitedBy, string>> = {
  secret_key: 'This API key',
  publishable_key: 'This API key',
  address: 'This address, without a valid API key,',
  network: 'The network of this address, without a valid API key,',
  publishable_address: 'This address',
  publishable_network: 'The network of this address',
};

const ofAddresses =
  'has used up its requests (RATE_LIMIT_ADDRESS_PER_MINUTE); if it is that of your own proxy, set TRUST_PROXY';

/** For the operator. */
const toldOf: Readonly<Record<LimitedBy, string>> = {
  secret_key: 'a key has used up its requests (RATE_LIMIT_SECRET_PER_MINUTE)',
  publishable_key: 'a publishable key has used up its requests (RATE_LIMIT_PUBLISHABLE_PER_MINUTE)',
  address: `an address without a valid key ${ofAddresses}`,
  network: `a network without a valid key ${ofAddresses}`,
  publishable_address: `an address with a publishable key ${ofAddresses}`,
  publishable_network: `a network with a publishable key ${ofAddresses}`,
};

type Count = (
  request: FastifyRequest,
  key: string,
  how?: { readonly increment: boolean },
) => Promise<Standing | null>;

/** The counters of the plugin, by a key of ours. Null: no limit, or nobody could count. */
const createCounter = (server: HttpServer, shared: SharedCounts | null) => {
  const keys = new WeakMap<FastifyRequest, string>();
  let pausedUntil = 0;
  return (max: number): Count => {
    if (max === 0) return async () => null;
    const options = {
      max,
      timeWindow: windowSeconds * 1_000,
      keyGenerator: (request: FastifyRequest) => keys.get(request) ?? '',
    };
    const count = server.createRateLimit(options);
    return async (request, key, how) => {
      if (steadyMs() < pausedUntil) return null;
      keys.set(request, key);
      try {
        const counted = await count(request, how);
        if (counted.isAllowed) return null;
        const { remaining, ttlInSeconds, isExceeded } = counted;
        return { limit: max, remaining, reset: ttlInSeconds, isExceeded };
      } catch (error) {
        if (shared === null) throw error;
        pausedUntil = steadyMs() + pauseMs;
        shared.report(error);
        return null;
      }
    };
  };
};

const rateLimited = ({ limit, reset }: Standing, whose: string): RendermillError => {
  const retryAfterSeconds = Math.max(1, reset);
  return new RendermillError('rate_limited', {
    message: `${whose} has sent more than ${limit} requests within a minute. Try again in ${retryAfterSeconds} seconds.`,
    details: { limit, windowSeconds, retryAfterSeconds },
  });
};

/** Of IPv6 the /64, of which every device has a whole one. */
const addressOf = (request: FastifyRequest): string =>
  rateLimit.normalizeIP(request.ip).slice(0, mostAddressLength);

/** Of IPv6 the /48, which is the most that one customer is given; null: of IPv4 no one has a whole network. */
const networkOf = (request: FastifyRequest): string | null => {
  const network = isIPv6(request.ip) ? rateLimit.normalizeIP(request.ip, 48) : '';
  return network.includes(':') ? network : null;
};

/** One client with a wrong key must not lock out those that share its address, as behind a proxy or in an office. */
const createKnownKeys = () => {
  const known = new Set<string>();
  const nameOf = ({ headers }: FastifyRequest) =>
    createHash('sha256')
      .update(headers.authorization ?? '')
      .digest('base64');
  return {
    has: (request: FastifyRequest) =>
      request.headers.authorization !== undefined && known.has(nameOf(request)),
    drop: (request: FastifyRequest) => void known.delete(nameOf(request)),
    add: (request: FastifyRequest) => {
      const oldest = known.values().next();
      if (known.size >= mostKnownKeys && !oldest.done) known.delete(oldest.value);
      known.add(nameOf(request));
    },
  };
};
