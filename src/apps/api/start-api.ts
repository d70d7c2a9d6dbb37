import { join } from 'node:path';
import { authenticate } from '../../domain/accounts/api-keys.ts';
import { assertSecretsReadable } from '../../domain/deliveries/encrypt-secrets.ts';
import { createAdmission } from '../../domain/exports/admission.ts';
import { readSlots } from '../../domain/lambda/read-slots.ts';
import { registerAccountRoutes } from '../../features/accounts/routes.ts';
import { registerCampaignRoutes } from '../../features/campaigns/routes.ts';
import { registerCompositionRoutes } from '../../features/compositions/routes.ts';
import { registerCsvImportRoutes } from '../../features/csv-import/routes.ts';
import { registerWebhookRoutes } from '../../features/delivery/routes.ts';
import { registerDownloadRoutes } from '../../features/downloads/routes.ts';
import { registerEventLogRoutes } from '../../features/event-log/routes.ts';
import { registerHistoryRoutes } from '../../features/history/routes.ts';
import { registerIdentityRoutes } from '../../features/identity/routes.ts';
import { registerLambdaHintRoutes } from '../../features/lambda-hints/routes.ts';
import { registerRenderRoutes } from '../../features/renders/routes.ts';
import { registerStatisticsRoutes } from '../../features/statistics/routes.ts';
import { createApiErrorRecorder } from '../../features/tracking/record-api-error.ts';
import { registerTrackingRoutes } from '../../features/tracking/routes.ts';
import { createAccess } from '../../platform/http/access.ts';
import { createMetrics, exposeMetrics } from '../../platform/http/metrics.ts';
import { createHttpServer, type HttpServer } from '../../platform/http/server.ts';
import { installedModes } from '../installed-modes.ts';
import { placeOfFiles } from '../open-storage.ts';
import type { Resources } from '../resources.ts';
import { secretBoxOf } from '../secret-box-of.ts';
import { assertSameStorage } from '../storage-identity.ts';
import { version } from '../version.ts';
import { startWatchingModes } from '../watch-modes.ts';
import { registerDeliveryMetrics } from './delivery-metrics.ts';
import { registerGauges, registerHealthRoutes } from './health.ts';
import { openLimits, registerLimitMetrics } from './open-limits.ts';
import { createOverloadLog } from './overload-log.ts';
import { explainListenError } from './port-taken.ts';
import { type LambdaSlots, registerRenderMetrics } from './render-metrics.ts';

export interface RunningApi {
  /** Where it listens. */
  readonly url: string;
}

/** Every route, on resources that are open; does not listen. */
export const createApi = async (resources: Resources, publicUrl: () => string): Promise<HttpServer> => {
  const { config, db, clock, listener, storage } = resources;
  const apiErrors = createApiErrorRecorder(resources);
  const tellOfOverload = createOverloadLog(resources);
  const server = await createHttpServer({
    log: resources.log,
    version,
    trustProxy: config.TRUST_PROXY,
    onFailure: ({ request, ...failure }) => {
      const principal = access.findPrincipal(request);
      if (principal === undefined) return;
      const { organizationId } = principal;
      if (failure.code === 'service_overloaded') tellOfOverload(request.ip, failure.route, principal);
      apiErrors.record({ ...failure, organizationId, method: request.method, requestId: request.id });
    },
  });
  const limits = await openLimits(server, resources);
  const access = createAccess((authorization) => authenticate(db, authorization), limits);
  server.addHook('onClose', () => apiErrors.settled());
  const admission = createAdmission({ db, clock, maxWaiting: config.MAX_WAITING_RENDERS });
  const metrics = createMetrics();
  exposeMetrics(server, metrics);
  registerGauges(metrics, resources);
  registerLimitMetrics(metrics, limits);
  registerRenderMetrics(metrics, resources, { admission, lambdaSlots: lambdaSlotsOf(resources) });
  registerDeliveryMetrics(metrics, resources);
  registerHealthRoutes(server, resources);
  const accepting = { renderModes: installedModes(config), admission };
  registerRenderRoutes(server, { db, clock, listener, log: resources.log, access, ...accepting });
  registerCampaignRoutes(server, {
    ...{ db, clock, listener, access, ...accepting },
    lambdaSlots: async () => (await lambdaSlotsOf(resources)())?.limit ?? config.LAMBDA_SLOTS,
  });
  registerDownloadRoutes(server, {
    ...{ db, clock, storage, log: resources.log, access, publicUrl },
    redirect: config.DOWNLOAD_REDIRECT,
  });
  registerHistoryRoutes(server, { db, clock, access });
  registerAccountRoutes(server, { db, clock, access });
  registerIdentityRoutes(server, { db, clock, access });
  registerStatisticsRoutes(server, { db, clock, access });
  registerCompositionRoutes(server, { db, access });
  registerLambdaHintRoutes(server, { db, secret: config.LAMBDA_WEBHOOK_SECRET });
  const allowPrivate = config.WEBHOOK_ALLOW_PRIVATE_ADDRESSES;
  registerWebhookRoutes(server, { db, clock, access, allowPrivate, secretBox: secretBoxOf(config) });
  registerTrackingRoutes(server, { db, clock, access });
  registerEventLogRoutes(server, { db, clock, access });
  registerCsvImportRoutes(server, {
    db,
    clock,
    access,
    ...accepting,
    directory: join(config.home, 'imports'),
  });
  return server;
};

/** Functions count by region, whoever of us starts them. */
const lambdaSlotsOf =
  ({ config, db, clock }: Resources) =>
  async (): Promise<LambdaSlots | null> =>
    config.LAMBDA_FUNCTION === undefined ? null : readSlots(db, config.LAMBDA_REGION, clock.now());

export const startApi = async (resources: Resources): Promise<RunningApi> => {
  const { config, db, lifecycle, storage } = resources;
  await assertSecretsReadable(db, secretBoxOf(config), resources.clock.now());
  await assertSameStorage({ db, storage, place: placeOfFiles(config) }, { mayAdopt: true });
  let url = '';
  const server = await createApi(resources, () => config.PUBLIC_URL?.replace(/\/+$/, '') ?? url);
  startWatchingModes(resources);
  lifecycle.onStop('api', async () => {
    // Streams of events would otherwise stay open until the deadline.
    server.server.closeIdleConnections();
    const closed = server.close();
    setTimeout(() => server.server.closeAllConnections(), drainMs).unref();
    await closed;
  });
  url = await server.listen({ host: config.HOST, port: config.PORT }).catch((error: unknown) => {
    throw explainListenError(error, config);
  });
  return { url };
};

/** Long enough for a request, and for most downloads; event streams end with it. */
const drainMs = 5_000;
