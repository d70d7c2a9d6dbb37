/**
 * How often may be asked within a minute: by a key, by an address without a valid one, and by an address with a publishable key, which
 * everybody has who has seen the page. Counted in windows of a minute that begin with their first request; in Redis for all processes
 * together where there is one, else in each process for itself. Where Redis fails requests pass: who cannot count must not refuse.
 */
import { createHash } from 'node:crypto';
import rateLimit from '@fastify/rate-limit';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { RendermillError } from '../../core/errors.ts';
import type { Logger } from '../log/log.ts';
import type { HttpServer } from './server.ts';

/** Requests within a minute; 0: no limit. */
export interface RateLimits {
  /** Of one key that is not publishable. */
  readonly secret: number;
  readonly publishable: number;
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

type LimitedBy = 'key' | 'address';

const windowSeconds = 60;
/** Keys and addresses that one process counts for itself; with more, those that were quiet for longest are forgotten. */
const mostCounted = 50_000;
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

export const openRequestLimits = async (
  server: HttpServer,
  { perMinute, shared, log }: RequestLimitsOptions,
): Promise<RequestLimits> => {
  const redis = shared === null ? {} : { redis: shared.client, nameSpace: 'rendermill-requests:' };
  await server.register(rateLimit, { global: false, ...redis });
  const countOf = createCounter(server, shared);
  const [bySecret, byPublishable, byAddress] = [
    countOf(perMinute.secret),
    countOf(perMinute.publishable),
    countOf(perMinute.address),
  ];
  const valid = createKnownKeys();
  const refused = { key: 0, address: 0 };
  const tellOnce = createHourlyWarning(log);

  const refuse = (by: LimitedBy, standing: Standing, whose: string, request: FastifyRequest): never => {
    refused[by] += 1;
    if (by === 'address') tellOnce(request.ip);
    throw rateLimited(standing, whose);
  };

  const countCaller = async (request: FastifyRequest, { kind, keyId }: Caller): Promise<Standing | null> => {
    if (kind !== 'publishable') return bySecret(request, `key:${keyId}`);
    const standing = await byAddress(request, `browser:${keyId}:${addressOf(request)}`);
    if (standing?.isExceeded) refuse('address', standing, 'This address', request);
    return byPublishable(request, `key:${keyId}`);
  };

  return {
    assertMayTry: async (request) => {
      if (valid.has(request)) return;
      const standing = await byAddress(request, `stranger:${addressOf(request)}`, { increment: false });
      if (standing?.remaining === 0) refuse('address', standing, strangers, request);
    },
    countFailure: async (request) => {
      valid.drop(request);
      const standing = await byAddress(request, `stranger:${addressOf(request)}`);
      if (standing?.isExceeded) refuse('address', standing, strangers, request);
    },
    count: async (request, reply, caller) => {
      valid.add(request);
      const standing = await countCaller(request, caller);
      if (standing === null) return;
      reply.headers({
        'ratelimit-limit': String(standing.limit),
        'ratelimit-remaining': String(standing.remaining),
        'ratelimit-reset': String(standing.reset),
      });
      if (standing.isExceeded) refuse('key', standing, 'This API key', request);
    },
    refused: () => refused,
  };
};

const strangers = 'This address, without a valid API key,';

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
      cache: mostCounted,
      keyGenerator: (request: FastifyRequest) => keys.get(request) ?? '',
    };
    const count = server.createRateLimit(options);
    return async (request, key, how) => {
      if (Date.now() < pausedUntil) return null;
      keys.set(request, key);
      try {
        const counted = await count(request, how);
        if (counted.isAllowed) return null;
        const { remaining, ttlInSeconds, isExceeded } = counted;
        return { limit: max, remaining, reset: ttlInSeconds, isExceeded };
      } catch (error) {
        if (shared === null) throw error;
        pausedUntil = Date.now() + pauseMs;
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

/** Of IPv6 the network, of which every customer has a whole one. */
const addressOf = (request: FastifyRequest): string => rateLimit.normalizeIP(request.ip).slice(0, 64);

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

const quietMs = 3_600_000;

const createHourlyWarning = (log: Logger) => {
  let quietUntil = 0;
  return (address: string): void => {
    if (Date.now() < quietUntil) return;
    quietUntil = Date.now() + quietMs;
    log.warn(
      { address },
      'an address has used up its requests (RATE_LIMIT_ADDRESS_PER_MINUTE); if it is that of your own proxy, set TRUST_PROXY',
    );
  };
};
