/** Who a request speaks for. The hook runs before the body is read, so that a wrong key learns nothing of what is expected. */
import type { FastifyRequest, onRequestAsyncHookHandler } from 'fastify';
import { RendermillError } from '../../core/errors.ts';

export interface Access<Principal> {
  /** For a route's `onRequest`: throws `unauthenticated`, or `forbidden` for a key of another kind. */
  require(...kinds: readonly string[]): onRequestAsyncHookHandler;
  /** Of a request that passed `require`. */
  principal(request: FastifyRequest): Principal;
  /** Undefined of a request that did not pass `require`, or went to a route without it. */
  findPrincipal(request: FastifyRequest): Principal | undefined;
}

export const createAccess = <Principal extends { readonly kind: string }>(
  authenticate: (authorization: string | undefined) => Promise<Principal>,
): Access<Principal> => {
  const principals = new WeakMap<FastifyRequest, Principal>();
  return {
    require:
      (...kinds) =>
      async (request) => {
        const principal = await authenticate(request.headers.authorization);
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
