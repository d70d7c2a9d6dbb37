import { z } from 'zod';
import { RendermillError } from '../../core/errors.ts';
import { tenantIdSchema } from '../../core/render-request.ts';
import { tierNames } from '../../core/tiers.ts';
import type { Principal } from '../../domain/accounts/api-keys.ts';
import { getOrganization, tierIn } from '../../domain/accounts/organizations.ts';
import { findProject, nameProject, type Project } from '../../domain/accounts/projects.ts';
import { findUser, type User } from '../../domain/accounts/users.ts';
import { creditBalance } from '../../domain/credits/ledger.ts';
import { limitState } from '../../domain/exports/limits.ts';
import type { Clock } from '../../platform/clock/clock.ts';
import type { Database } from '../../platform/db/client.ts';
import type { Access } from '../../platform/http/access.ts';
import { errorResponseSchema } from '../../platform/http/error-response.ts';
import type { HttpServer } from '../../platform/http/server.ts';
import { changePlan } from './change-plan.ts';
import { giveCredits, givenCreditsSchema } from './give-credits.ts';

export interface AccountRoutesDeps {
  readonly db: Database;
  readonly clock: Clock;
  readonly access: Access<Principal>;
}

const userSchema = z
  .object({
    id: z.string(),
    tier: z.enum(tierNames),
    limit: z.int().nullable().describe('Exports a day; null: no limit'),
    remaining: z.int().nullable(),
    resetAt: z.iso.datetime(),
    maxDurationSeconds: z.number().nullable(),
    concurrentRenders: z
      .int()
      .nullable()
      .describe("Render jobs of all the organization's users of this tier at once; null: no cap"),
    retentionDays: z.number().nullable().describe('After which a finished file is removed; null: never'),
    credits: z.int(),
  })
  .meta({ id: 'User', description: 'The user with what remains of the day' });

const projectSchema = z
  .object({
    id: z.string(),
    name: z.string().nullable(),
    exportCount: z.int().describe('Accepted exports that neither failed nor were canceled'),
    lastExportAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Project', description: 'The project with its count of exports' });

const presentProject = (row: Project): z.infer<typeof projectSchema> => ({
  id: row.id,
  name: row.name,
  exportCount: row.export_count,
  lastExportAt: row.last_export_at?.toISOString() ?? null,
});

const params = z.object({ id: tenantIdSchema });
const security = [{ apiKey: [] }];
const refusals = {
  400: errorResponseSchema,
  401: errorResponseSchema,
  403: errorResponseSchema,
  503: errorResponseSchema,
};

export const registerAccountRoutes = (server: HttpServer, deps: AccountRoutesDeps): void => {
  const onRequest = deps.access.require('secret');
  const organizationOf = (request: Parameters<typeof deps.access.principal>[0]) =>
    deps.access.principal(request).organizationId;

  server.put(
    '/api/users/:id',
    {
      onRequest,
      schema: {
        operationId: 'putUser',
        summary: "Set a user's tier; first sight creates the user",
        tags: ['Users'],
        security,
        params,
        body: z.strictObject({ tier: z.enum(tierNames) }),
        response: { 200: userSchema, ...refusals },
      },
    },
    async (request) => {
      const change = {
        organizationId: organizationOf(request),
        userId: request.params.id,
        tier: request.body.tier,
        correlationId: request.id,
      };
      const now = deps.clock.now();
      return presentUser(deps, await deps.db.transaction().execute((tx) => changePlan(tx, change, now)));
    },
  );

  server.get(
    '/api/users/:id',
    {
      onRequest,
      schema: {
        operationId: 'getUser',
        summary: "A user's tier, limit and credits",
        tags: ['Users'],
        security,
        params,
        response: { 200: userSchema, ...refusals, 404: errorResponseSchema },
      },
    },
    async (request) => {
      const user = await findUser(deps.db, organizationOf(request), request.params.id);
      if (!user)
        throw new RendermillError('not_found', { message: `There is no user "${request.params.id}".` });
      return presentUser(deps, user);
    },
  );

  server.post(
    '/api/users/:id/credits',
    {
      onRequest,
      schema: {
        operationId: 'grantCredits',
        summary: 'Grant credits, or record a top-up that was paid for',
        tags: ['Users'],
        security,
        params,
        body: givenCreditsSchema,
        response: { 200: userSchema, ...refusals, 404: errorResponseSchema },
      },
    },
    async (request) => {
      const organizationId = organizationOf(request);
      const now = deps.clock.now();
      const user = await deps.db.transaction().execute(async (tx) => {
        const found = await findUser(tx, organizationId, request.params.id);
        if (!found)
          throw new RendermillError('not_found', { message: `There is no user "${request.params.id}".` });
        const to = { organizationId, userId: found.id, correlationId: request.id };
        await giveCredits(tx, to, request.body, now);
        return found;
      });
      return presentUser(deps, user);
    },
  );

  server.put(
    '/api/projects/:id',
    {
      onRequest,
      schema: {
        operationId: 'putProject',
        summary: 'Name a project; first sight creates it',
        tags: ['Projects'],
        security,
        params,
        body: z.strictObject({ name: z.string().trim().min(1).max(200) }),
        response: { 200: projectSchema, ...refusals },
      },
    },
    async (request) => {
      const project = { organizationId: organizationOf(request), projectId: request.params.id };
      return presentProject(
        await deps.db
          .transaction()
          .execute((tx) => nameProject(tx, project, request.body.name, deps.clock.now())),
      );
    },
  );

  server.get(
    '/api/projects/:id',
    {
      onRequest,
      schema: {
        operationId: 'getProject',
        summary: 'A project and its count of exports',
        tags: ['Projects'],
        security,
        params,
        response: { 200: projectSchema, ...refusals, 404: errorResponseSchema },
      },
    },
    async (request) => {
      const found = await findProject(deps.db, {
        organizationId: organizationOf(request),
        projectId: request.params.id,
      });
      if (!found)
        throw new RendermillError('not_found', { message: `There is no project "${request.params.id}".` });
      return presentProject(found);
    },
  );
};

const presentUser = async (deps: AccountRoutesDeps, user: User): Promise<z.infer<typeof userSchema>> => {
  const organization = await getOrganization(deps.db, user.organization_id);
  const tier = tierIn(organization, user.tier);
  const who = {
    organizationId: user.organization_id,
    userId: user.id,
    timeZone: organization.time_zone,
    tierName: user.tier,
    tier,
  };
  const state = await limitState(deps.db, who, deps.clock.now());
  return {
    id: user.id,
    tier: user.tier,
    limit: state.limit,
    remaining: state.remaining,
    resetAt: state.resetAt.toISOString(),
    maxDurationSeconds: tier.maxDurationSeconds,
    concurrentRenders: tier.concurrentRenders,
    retentionDays: tier.retentionDays,
    credits: await creditBalance(deps.db, who),
  };
};
