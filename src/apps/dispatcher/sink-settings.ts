import { resolve } from 'node:path';
import type { SinkSettings } from '../../features/delivery/open-sinks.ts';
import type { Config } from '../../platform/config/config.ts';

/** The sinks that the environment names. */
export const sinkSettings = (config: Config): SinkSettings => {
  const projectApiKey = config.POSTHOG_PROJECT_API_KEY ?? config.POSTHOG_API_KEY;
  const {
    META_PIXEL_ID: pixelId,
    META_ACCESS_TOKEN: accessToken,
    META_TEST_EVENT_CODE: testEventCode,
  } = config;
  const { DOMAIN_EVENT_WEBHOOK_URL: url, DOMAIN_EVENT_WEBHOOK_SECRET: secret } = config;
  return {
    allowPrivateWebhooks: config.WEBHOOK_ALLOW_PRIVATE_ADDRESSES,
    ...(projectApiKey === undefined
      ? {}
      : { posthog: { host: config.POSTHOG_HOST, projectApiKey, distinctIds: config.POSTHOG_DISTINCT_IDS } }),
    ...(pixelId === undefined || accessToken === undefined
      ? {}
      : {
          meta: {
            host: config.META_HOST,
            apiVersion: config.META_API_VERSION,
            pixelId,
            accessToken,
            ...(testEventCode === undefined ? {} : { testEventCode }),
          },
        }),
    ...(url === undefined ? {} : { webhook: { url, ...(secret === undefined ? {} : { secret }) } }),
    ...(config.EVENT_CONSOLE ? { console: { output: process.stdout } } : {}),
    ...(config.EVENT_FILE === undefined ? {} : { file: { path: resolve(config.EVENT_FILE) } }),
  };
};
