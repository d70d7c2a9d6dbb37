import type { S3Request } from './request.ts';

/** What goes wrong with the first `times` (default 1) requests that match. Each fault is used up by itself; the first in the list goes first. */
export type S3Fault = {
  readonly match: (request: S3Request) => boolean;
  times?: number;
} & (
  | { readonly status: number; readonly code: string }
  /** The connection is cut before an answer. */
  | { readonly reset: true }
  /** The answer comes late, and is right. */
  | { readonly delayMs: number }
  /** Right headers, then this many bytes of the body, then the connection is cut. */
  | { readonly cutAfterBytes: number }
);

/** Takes a turn of the first fault that matches; removes it when it has none left. */
export const takeFault = (faults: S3Fault[], request: S3Request): S3Fault | undefined => {
  const fault = faults.find((one) => one.match(request));
  if (!fault) return undefined;
  fault.times = (fault.times ?? 1) - 1;
  if (fault.times <= 0) faults.splice(faults.indexOf(fault), 1);
  return fault;
};
