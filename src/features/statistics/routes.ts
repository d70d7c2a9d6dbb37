import { z } from 'zod';
import { tenantIdSchema } from '../../core/render-request.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import { projectStatistics } from './project-statistics.ts';
import {
  projectStatisticsSchema,
  systemStatisticsSchema,
  userStatisticsSchema,
  windowQuerySchema,
} from './schemas.ts';
import { systemStatistics } from './system-statistics.ts';
import { userStatistics } from './user-statistics.ts';

export interface StatisticsRoutesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly access: Access<Principal>;
}

const tags = ['Statistics'];
const security = [{ apiKey: [] }];
const refusals = {
  400: errorResponseSchema,
  401: errorResponseSchema,
  403: errorResponseSchema,
  503: errorResponseSchema,
};

export const registerStatisticsRoutes = (server: HttpServer, deps: StatisticsRoutesDeps): void => {
  const { db, clock, access } = deps;

  server.get(
    '/api/stats/user',
    {
      onRequest: access.require('secret'),
      schema: {
        operationId: 'getUserStatistics',
        summary: "A user's exports: totals, formats, success, days, and what remains of today's limit",
        tags,
        security,
        querystring: windowQuerySchema.extend({ userId: tenantIdSchema }),
        response: { 200: userStatisticsSchema, ...refusals, 404: errorResponseSchema },
      },
    },
    async (request) => {
      const { userId, ...asked } = request.query;
      const { organizationId } = access.principal(request);
      return userStatistics(db, { organizationId, userId }, asked, clock.now());
    },
  );

  server.get(
    '/api/stats/project/:id',
    {
      onRequest: access.require('secret'),
      schema: {
        operationId: 'getProjectStatistics',
        summary: "A project's exports: totals, formats, success and days",
        tags,
        security,
        params: z.object({ id: tenantIdSchema }),
        querystring: windowQuerySchema,
        response: { 200: projectStatisticsSchema, ...refusals, 404: errorResponseSchema },
      },
    },
    async (request) => {
      const { organizationId } = access.principal(request);
      const project = { organizationId, projectId: request.params.id };
      return projectStatistics(db, project, request.query, clock.now());
    },
  );

  server.get(
    '/api/stats/system',
    {
      onRequest: access.require('admin'),
      schema: {
        operationId: 'getSystemStatistics',
        summary: "The whole organization's exports: also months, popular formats, peak hours and activity",
        tags,
        security,
        querystring: windowQuerySchema,
        response: { 200: systemStatisticsSchema, ...refusals },
      },
    },
    async (request) =>
      systemStatistics(db, access.principal(request).organizationId, request.query, clock.now()),
  );
};
