/** JSON as Fastify reads it, but that many clients name it as the type of every request, also of one that has no body. */
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** A route that describes no body takes none, whatever type is named; one that does refuses an empty one with `invalid_json`. */
export const readJson = (
  server: Pick<FastifyInstance, 'getDefaultJsonParser' | 'removeContentTypeParser' | 'addContentTypeParser'>,
): void => {
  const parse = server.getDefaultJsonParser('error', 'error');
  server.removeContentTypeParser('application/json');
  server.addContentTypeParser(
    'application/json',
    { parseAs: 'string' },
    (request: FastifyRequest, body: string, done) => {
      if (body === '' && request.routeOptions.schema?.body === undefined) done(null, undefined);
      else void parse(request, body, done);
    },
  );
};
