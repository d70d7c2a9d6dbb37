import type { LabelledValue, Metrics } from '../../platform/http/metrics.ts';
import { openRequestLimits, type RateLimits, type RequestLimits } from '../../platform/http/rate-limits.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import { openCountingRedis } from '../../platform/queue/open-counting-redis.ts';
import type { Resources } from '../resources.ts';

/** What the configuration allows, counted in Redis where the queue is there. */
export const openLimits = async (
  server: HttpServer,
  { config, log }: Pick<Resources, 'config' | 'log'>,
): Promise<RequestLimits> => {
  const perMinute: RateLimits = {
    secret: config.RATE_LIMIT_SECRET_PER_MINUTE,
    publishable: config.RATE_LIMIT_PUBLISHABLE_PER_MINUTE,
    address: config.RATE_LIMIT_ADDRESS_PER_MINUTE,
  };
  const isLimited = Object.values(perMinute).some((limit) => limit > 0);
  const shared =
    config.REDIS_URL === undefined || !isLimited ? null : await openCountingRedis(config.REDIS_URL, log);
  server.addHook('onClose', async () => shared?.close());
  return openRequestLimits(server, { perMinute, shared, log });
};

export const registerLimitMetrics = (metrics: Metrics, limits: RequestLimits): void =>
  metrics.counterBy(
    'rendermill_rate_limited_total',
    'Requests that this process answered with 429, by the limit: of a key, of an address (IPv6: also its network) without a valid key or with a publishable one',
    ['by'],
    async (): Promise<LabelledValue[]> =>
      Object.entries(limits.refused()).map(([by, value]) => ({ labels: { by }, value })),
  );
