import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../../src/platform/clock/clock.ts';
import { createLambdaRenderer } from '../../../../src/platform/renderer/lambda/lambda-renderer.ts';
import { delayRenderTimeoutOf } from '../../../../src/platform/renderer/lambda/options.ts';
import { rejectionOf } from '../local/support.ts';
import { log, unlimitedBudget } from './support.ts';

const functionName = 'remotion-render-4-0-527-mem3008mb-disk4096mb-240sec';

const open = (changes: { functionName?: string; region?: string }) =>
  createLambdaRenderer({
    region: 'eu-central-1',
    functionName,
    bucketName: 'renders',
    budget: unlimitedBudget(),
    log,
    clock: systemClock,
    ...changes,
  });

describe('a renderer on Lambda', () => {
  it('names its function in its version, so that no file of another renderer is taken for its own', async () => {
    const renderer = await open({});
    expect([renderer.mode, renderer.version]).toEqual([
      'lambda',
      'lambda/4-0-527-mem3008mb-disk4096mb-240sec/1',
    ]);
    await renderer.close();
    await renderer.close();
  });

  it.each([
    [{ functionName: 'my-function' }, 'is not named as Remotion names its functions'],
    [{ functionName: functionName.replace('527', '500') }, 'LAMBDA_FUNCTION is of Remotion 4.0.500'],
    [{ region: 'local' }, 'Remotion does not render in "local"'],
  ])('is refused where it cannot be ours (%o)', async (changes, text) => {
    const error = await rejectionOf(open(changes));
    expect(error.code).toBe('lambda_misconfigured');
    expect(error.message).toContain(text);
  });
});

describe('a delayRender() may last', () => {
  it.each([
    [30_000, 240, 30_000],
    [30_000, 40, 20_000],
    [1_000, 240, 7_000],
    [30_000, 10, 7_000],
  ])('(%i ms asked, function of %i s) %i ms', (asked, functionSeconds, expected) => {
    expect(delayRenderTimeoutOf(asked, functionSeconds)).toBe(expected);
  });
});
