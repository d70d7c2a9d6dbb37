import type { RendermillError } from '../../../core/errors.ts';
import { PageFailure } from '../local/child/page-failure.ts';
import { findThrownAt } from '../local/child/thrown-at.ts';
import { classifyLambdaError } from './errors/classify-lambda-error.ts';
import type { LambdaFailure } from './errors/failure.ts';
import type { Workplace } from './workplace.ts';

/** Turns a failure into ours, with the line that threw; where AWS had no room, the budget hears of it. */
export const explain = async (
  { settings: { budget, log, siteBaseUrl } }: Pick<Workplace, 'settings'>,
  failure: LambdaFailure,
  place: { readonly siteAddress?: string; readonly bundlePath: string },
): Promise<RendermillError> => {
  const error = classifyLambdaError(failure, {
    siteAddress: place.siteAddress ?? siteBaseUrl,
    thrownAt: await findThrownAt(new PageFailure(failure), place.bundlePath).catch(() => null),
  });
  if (error.code === 'lambda_throttled') {
    await budget.throttled().catch((err: unknown) => log.warn({ err }, 'throttling not told to the budget'));
  }
  return error;
};
