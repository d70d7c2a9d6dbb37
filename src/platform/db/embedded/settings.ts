/**
 * What the embedded server runs with, besides Postgres' own defaults. Sized for one machine on which renders need the memory:
 * whoever outgrows these sets DATABASE_URL.
 */
export const postgresSettings: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  // A socket's path may have 107 bytes only, and a data folder below a long path would then refuse to start.
  unix_socket_directories: '',
  // Pools of ten per process, LISTEN connections and the queue's own: the default of 100 is met by about six processes.
  max_connections: '200',
  shared_buffers: '128MB',
  // Compiling costs more than it gains for queries that take milliseconds.
  jit: 'off',
  // initdb would write down the machine's zone; days are computed in the organization's.
  timezone: 'UTC',
  log_timezone: 'UTC',
  // A line every five minutes, for ever, in a file that nobody rotates while the server runs.
  log_checkpoints: 'off',
};

export const serverArguments = (dataDirectory: string, port: number): string[] => [
  '-D',
  dataDirectory,
  '-p',
  String(port),
  ...Object.entries(postgresSettings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
];
