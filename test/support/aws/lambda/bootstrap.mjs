/**
 * The part of Lambda's Node.js runtime that Remotion's function relies on. Started by an execution environment, with a channel to it:
 * `HANDLER_FILE` is what it loads. In a sandbox it puts the browser to where the function looks for it.
 */
import { copyFileSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';

const { HANDLER_FILE = '', SANDBOX_BROWSER, OUTSIDE_TMP } = process.env;

/** Device and inode: the same only where it is the same folder. */
const identityOf = (path) => `${statSync(path).dev}:${statSync(path).ino}`;

/** Remotion's function empties /tmp at each invocation: it is never loaded where that is the machine's own. */
const refuseUnprotected = () => {
  const isProtected = OUTSIDE_TMP !== undefined && identityOf('/tmp') !== OUTSIDE_TMP;
  if (HANDLER_FILE.includes('@remotion') && !isProtected) {
    console.error('This handler empties /tmp, and /tmp is not private here. It is not loaded.');
    process.exit(130);
  }
};

/** A script that becomes the browser: through a symbolic link it would look for its libraries in the wrong folder. */
const installBrowser = () => {
  mkdirSync('/opt/bin', { recursive: true });
  writeFileSync('/opt/bin/chromium', `#!/bin/sh\nexec "${SANDBOX_BROWSER}" "$@"\n`, { mode: 0o755 });
  if (existsSync('/etc/fonts/fonts.conf')) copyFileSync('/etc/fonts/fonts.conf', '/opt/fonts.conf');
};

/** Each write is confirmed: Remotion waits for that. */
const createResponseStream = () =>
  Object.assign(
    new Writable({
      write: (chunk, _, done) => {
        process.send({ kind: 'chunk', data: new Uint8Array(chunk) }, undefined, undefined, done);
      },
    }),
    { setContentType: () => undefined },
  );

const invoke = async (handler, { requestId, payload, functionArn, deadline }) => {
  const stream = createResponseStream();
  const finished = new Promise((resolve) => stream.once('finish', resolve));
  try {
    await handler(JSON.parse(payload), stream, {
      awsRequestId: requestId,
      invokedFunctionArn: functionArn,
      functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
      memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
      callbackWaitsForEmptyEventLoop: true,
      getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
    });
    if (!stream.writableEnded) stream.end();
    await finished;
    process.send({ kind: 'end' });
  } catch (error) {
    console.error('Invoke Error', error);
    const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
    process.send({ kind: 'error', errorType: name, errorMessage: message, trace: String(stack).split('\n') });
  }
};

process.on('disconnect', () => process.exit(0));
process.on('uncaughtException', (error) => {
  console.error('Uncaught Exception', error);
  process.exit(129);
});
process.on('unhandledRejection', (error) => {
  console.error('Unhandled Rejection', error);
  process.exit(128);
});

refuseUnprotected();
if (SANDBOX_BROWSER !== undefined) installBrowser();
// Before the handler's module is loaded, which looks for it once.
globalThis.awslambda = { streamifyResponse: (handler) => handler };
const loaded = import(HANDLER_FILE);
// At once: an invocation may be there before the module is.
process.on('message', async (message) => {
  const module = await loaded;
  await invoke(module.handler ?? module.default.handler, message);
});
await loaded;
