/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `warning`: works, but not well; `missing`: nothing works without it; `unknown`: it depends on something that is missing. */
  readonly status: 'ok' | 'warning' | 'missing' | 'unknown';
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly mend?: string;
}

export const ok = (name: string, found: string): Check => ({ name, status: 'ok', found });
export const warning = (name: string, found: string, mend: string): Check => ({
  name,
  status: 'warning',
  found,
  mend,
});
export const missing = (name: string, found: string, mend: string): Check => ({
  name,
  status: 'missing',
  found,
  mend,
});
export const unknown = (name: string, found: string): Check => ({ name, status: 'unknown', found });

/** A reason to print; several addresses of one host give one error without a text of its own. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof AggregateError) return reasonOf(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && error.cause.message !== ''
    ? `${error.message} (${error.cause.message})`
    : error.message;
};
