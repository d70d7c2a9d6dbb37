/** What went wrong as it was told: by the SDK, by Remotion's client, or by a function through its client. */
export interface LambdaFailure {
  /**
   * aws: a service of AWS refused or could not be reached. function: the code inside of a function failed, ours, Remotion's or the
   * tenant's. ending: AWS ended the function from outside.
   */
  readonly source: 'aws' | 'function' | 'ending';
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** One entry of a render's errors, as far as it is needed. */
export interface ProgressError {
  readonly type: string;
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly isFatal: boolean;
  readonly willRetry: boolean;
}

/** Remotion's client writes the reason of a refused invocation into a message of its own. */
const refusedInvocation = /^(?:Error: )?AWS Concurrency limit reached \(Original Error: /;

/** Written by Remotion's client when AWS ends a function or cuts its stream. */
const endedFunction =
  /^(?:Error: )?Lambda function (?:returned error: |returned no payload|remotion-render-\S+ failed with )/;

const networkCodes =
  /^(?:E[A-Z]{4,}|UND_ERR_\w+|ERR_STREAM_PREMATURE_CLOSE)$|^(?:TimeoutError|NetworkingError|CredentialsProviderError|AbortError)$/;

const namedIn = (error: Error, key: 'code' | 'name'): string => {
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'string' ? value : '';
};

const isOfSdk = (error: Error): boolean =>
  '$metadata' in error || networkCodes.test(namedIn(error, 'code')) || networkCodes.test(error.name);

const headline = /^(?:Uncaught )?((?:[A-Z]\w*)?(?:Error|Exception)): /;

/** A function sends the text of its stack; name and message stand in its first lines. */
const fromStackText = (text: string): Omit<LambdaFailure, 'source'> => {
  const name = headline.exec(text)?.[1] ?? 'Error';
  const [head = ''] = text.split(/\n\s+at /);
  return { name, message: head.replace(headline, ''), stack: text };
};

const frames = /\n\s+at /;
const framesOfPage = /\n\s+at [^\n]*https?:\/\//;

/** By what the client writes of AWS. Whatever a page throws must not pass for that: it would be everybody's budget that shrinks. */
const sourceOf = (message: string): LambdaFailure['source'] => {
  if (refusedInvocation.test(message)) return 'aws';
  return endedFunction.test(message) ? 'ending' : 'function';
};

/** Of what a call of Remotion's client or of the SDK threw. */
export const failureOf = (error: unknown): LambdaFailure => {
  if (!(error instanceof Error)) return { source: 'function', ...fromStackText(String(error)) };
  const { name, message, stack = '' } = error;
  if (isOfSdk(error)) {
    return { source: 'aws', name: name === 'Error' ? namedIn(error, 'code') : name, message, stack };
  }
  // Of a still, or of what measures a video: the whole stack is the message, and it was the function's.
  if (frames.test(message)) return { source: 'function', ...fromStackText(message) };
  const source = sourceOf(message);
  if (source !== 'function') return { source, name, message, stack };
  return { source, name: headline.exec(stack)?.[1] ?? name, message, stack };
};

/** What the render failed of: the function that failed knows it better than the one that collected its failure. */
export const failureAmong = (errors: readonly ProgressError[]): LambdaFailure => {
  const final = errors.filter(
    ({ type, willRetry }) => type !== 'webhook' && type !== 'artifact' && !willRetry,
  );
  // The other functions are told to stop when one has failed.
  const reasons = final.filter(({ message }) => !/\(\) got cancelled/.test(message));
  const chosen =
    reasons.find(({ type }) => type === 'renderer' || type === 'browser') ??
    reasons.find(({ isFatal }) => isFatal) ??
    final[0];
  if (chosen === undefined) return { source: 'function', name: 'Error', message: '', stack: '' };
  const { name, message, stack } = chosen;
  // Of a chunk's failure the collector keeps the text of the stack.
  const told = frames.test(message) ? fromStackText(message) : { name, message, stack };
  const isOfPage = framesOfPage.test(message) || framesOfPage.test(stack);
  return { source: chosen.type === 'stitcher' && !isOfPage ? sourceOf(told.message) : 'function', ...told };
};
