import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** pg hangs its whole client, password included, on an error of an idle connection. */
const describeError = (error: Error): object => {
  const { client: _client, ...described } = pino.stdSerializers.err(error);
  return described;
};

/** Structured logs on stderr, so that a command's own output stays clean; keys and tokens never appear. */
export const createLogger = (options: { level: LogLevel; name?: string }): Logger =>
  pino(
    {
      level: options.level,
      ...(options.name === undefined ? {} : { name: options.name }),
      serializers: { err: describeError },
      redact: { paths: ['req.headers.authorization', '*.password', '*.apiKey'], censor: '[redacted]' },
    },
    pino.destination({ fd: 2, sync: true }),
  );
