/** One invocation as a fault sees it. */
export interface InvocationRequest {
  /** Of Remotion's payload: `start`, `launch`, `renderer`, `still`, `compositions`, `info`, `status`; null for others. */
  readonly type: string | null;
  readonly payload: unknown;
}

/**
 * What goes wrong with the `nth` (default 1st) matching invocation from now on, and with the `times - 1` after it (default: none; the SDK
 * itself may retry, so that Infinity is what it takes to be throttled for good).
 */
export type LambdaFault = {
  /** Absent: any. */
  readonly type?: string;
  readonly match?: (request: InvocationRequest) => boolean;
  nth?: number;
  times?: number;
} & (
  | { readonly throttle: true }
  /** Its process is killed so many milliseconds after it was given the payload, as when it runs out of memory. */
  | { readonly killAfterMs: number }
  /** The connection of the answer is cut after so many bytes of it; the function goes on, as on AWS. */
  | { readonly cutAfterBytes: number }
  /** It begins late. */
  | { readonly delayMs: number }
);

/** Counts the invocation for each fault that it matches, and takes the turn of the first that is due. */
export const takeFault = (faults: LambdaFault[], request: InvocationRequest): LambdaFault | undefined => {
  const matching = faults.filter(
    (fault) => (fault.type ?? request.type) === request.type && (fault.match?.(request) ?? true),
  );
  const due = matching.find((fault) => (fault.nth ?? 1) <= 1);
  for (const fault of matching) fault.nth = Math.max(1, (fault.nth ?? 1) - 1);
  if (!due) return undefined;
  due.times = (due.times ?? 1) - 1;
  if (due.times <= 0) faults.splice(faults.indexOf(due), 1);
  return due;
};
