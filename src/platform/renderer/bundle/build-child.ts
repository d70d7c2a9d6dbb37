/** The process that builds one bundle, describes it, answers and ends. Started by build-bundle.ts only. */
import { RendermillError } from '../../../core/errors.ts';
import type { BuildAnswer, BuildRequest } from './build-messages.ts';
import { compile } from './compile.ts';
import { describeBundle } from './describe-bundle.ts';

const build = async (request: BuildRequest): Promise<BuildAnswer> => {
  const startedAt = performance.now();
  await compile(request);
  const compiledAt = performance.now();
  const compositions = await describeBundle({ ...request, bundlePath: request.outputDirectory });
  return {
    kind: 'built',
    compositions,
    compileMs: Math.round(compiledAt - startedAt),
    describeMs: Math.round(performance.now() - compiledAt),
  };
};

const answerOf = (error: unknown): BuildAnswer => {
  const message = error instanceof Error ? error.message : String(error);
  if (!(error instanceof RendermillError)) return { kind: 'crashed', message };
  return { kind: 'failed', message, ...(error.details === undefined ? {} : { details: error.details }) };
};

// Remotion's clean-up of a page may fail after the browser is gone; the answer does not depend on it.
process.on('unhandledRejection', () => undefined);
// An ordinary exit ends the browser too, which lives in a process group of its own.
process.on('SIGTERM', () => process.exit(1));
process.on('disconnect', () => process.exit(1));
process.once('message', (request: BuildRequest) => {
  void build(request)
    .catch(answerOf)
    .then((answer) => process.send?.(answer, () => process.exit(0)));
});
