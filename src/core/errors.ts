/** The errors that cross a boundary of ours, and what is known of each by its code. */
import { catalog } from './error-catalog.ts';
import type { ErrorEntry } from './error-entry.ts';

export type ErrorCode = keyof typeof catalog;

export const errorCatalog: Readonly<Record<ErrorCode, ErrorEntry>> = catalog;

export interface ErrorOptions {
  /** Public: what was wrong, what was expected, what to do. Default: the catalog's text. */
  readonly message?: string;
  /** Public: the facts as JSON, for a program to read. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Internal: logged, never sent. */
  readonly cause?: unknown;
}

/** The one error class that crosses a boundary of ours. Other libraries' errors become one of these at their port. */
export class RendermillError extends Error {
  override readonly name = 'RendermillError';
  readonly code: ErrorCode;
  readonly details: Readonly<Record<string, unknown>> | undefined;

  constructor(code: ErrorCode, options: ErrorOptions = {}) {
    super(
      options.message ?? catalog[code].text,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.details = options.details;
  }

  get status(): number {
    return catalog[this.code].status;
  }

  get retryable(): boolean {
    return catalog[this.code].retryable;
  }
}
