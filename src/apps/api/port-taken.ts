/** The most usual reason why an API does not start, as a sentence; asked early, before anything slow is done in vain. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { RendermillError } from '../../core/errors.ts';

interface Place {
  readonly HOST: string;
  readonly PORT: number;
}

/** Any other error is passed on as it is. */
export const explainListenError = (error: unknown, { PORT }: Place): unknown =>
  (error as NodeJS.ErrnoException).code === 'EADDRINUSE'
    ? new RendermillError('invalid_configuration', {
        message: `Port ${PORT} is taken. Choose another with PORT=…, or 0 for any free one.`,
        cause: error,
      })
    : error;

/** Listens there for a moment. Somebody may take the port afterwards: the API itself says the same then. */
export const assertPortIsFree = async (place: Place): Promise<void> => {
  const server = createServer();
  try {
    server.listen({ host: place.HOST, port: place.PORT });
    await once(server, 'listening');
  } catch (error) {
    throw explainListenError(error, place);
  }
  server.close();
  await once(server, 'close');
};
