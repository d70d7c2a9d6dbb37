/** Small stand-in for a handler: does what its payload says. */
const write = (stream, chunk) => new Promise((resolve) => stream.write(chunk, resolve));
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const actions = {
  // Remotion's clients ask every function for its version.
  info: (_, stream) => write(stream, JSON.stringify({ type: 'success', version: process.env.FAKE_VERSION })),
  echo: (event, stream, context) =>
    write(
      stream,
      JSON.stringify({
        event,
        pid: process.pid,
        arn: context.invokedFunctionArn,
        name: process.env.AWS_LAMBDA_FUNCTION_NAME,
        remaining: context.getRemainingTimeInMillis(),
      }),
    ),
  bytes: async ({ chunks, size }, stream) => {
    for (let i = 0; i < chunks; i++) await write(stream, Buffer.alloc(size, i));
  },
  slow: async ({ ms }, stream) => {
    await write(stream, 'begun');
    await wait(ms);
  },
  throw: () => {
    throw new RangeError('as it was told');
  },
  reject: () => {
    Promise.reject(new Error('nobody looks'));
    return wait(60_000);
  },
};

export const handler = globalThis.awslambda.streamifyResponse(async (event, stream, context) => {
  await actions[event.type]?.(event, stream, context);
  stream.end();
});
