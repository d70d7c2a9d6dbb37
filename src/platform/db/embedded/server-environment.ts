/** Ours without Postgres' own variables: a PGDATA, PGPORT or PGOPTIONS of the user's is meant for another server. */
export const serverEnvironment = (): NodeJS.ProcessEnv => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))),
  LC_ALL: 'C',
});
