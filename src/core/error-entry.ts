/** What is known of a failure by its code; `error-catalog.ts` tells what the fields mean. */
export interface ErrorEntry {
  readonly status: number;
  readonly retryable: boolean;
  /** Attempts in all, where that is fewer than usual. */
  readonly maxAttempts?: number;
  readonly reportable: boolean;
  readonly text: string;
}
