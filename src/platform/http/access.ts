/** Who a request speaks for. The hook runs before the body is read, so that a wrong key learns nothing of what is expected. */
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { RendermillError } from '../../core/errors.ts';
import type { Caller, RequestLimits } from './rate-limits.ts';

export interface Access<Principal> {
  /** For a route's `onRequest`: throws `unauthenticated`, `forbidden` for a key of another kind, and `rate_limited`. */
  require(...kinds: readonly string[]): onRequestAsyncHookHandler;
  /** Of a request that passed `require`. */
  principal(request: FastifyRequest): Principal;
  /** Undefined of a request that did not pass `require`, or went to a route without it. */
  findPrincipal(request: FastifyRequest): Principal | undefined;
}

export const createAccess = <Principal extends Caller>(
  authenticate: (authorization: string | undefined) => Promise<Principal>,
  limits: RequestLimits,
): Access<Principal> => {
  const principals = new WeakMap<FastifyRequest, Principal>();
  const identify = async (request: FastifyRequest): Promise<Principal> => {
    await limits.assertMayTry(request);
    try {
      return await authenticate(request.headers.authorization);
    } catch (error) {
      if (error instanceof RendermillError && error.code === 'unauthenticated')
        await limits.countFailure(request);
      throw error;
    }
  };
  return {
    require:
      (...kinds) =>
      async (request, reply) => {
        const principal = await identify(request);
        await limits.count(request, reply, principal);
        if (!kinds.includes(principal.kind)) {
          throw new RendermillError('forbidden', {
            message: `This needs a key of kind ${kinds.join(' or ')}; the one that was sent is ${principal.kind}.`,
          });
        }
        principals.set(request, principal);
      },
    principal: (request) => {
      const principal = principals.get(request);
      if (!principal) throw new RendermillError('unauthenticated');
      return principal;
    },
    findPrincipal: (request) => principals.get(request),
  };
};
