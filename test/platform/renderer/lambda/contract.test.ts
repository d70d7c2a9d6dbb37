import { describeSandboxed } from '../../../support/aws/sandbox/describe-sandboxed.ts';
import { startAws } from '../../../support/aws/start-aws.ts';
import { testRendererContract } from '../renderer-contract.ts';
import { makeBucket, openRenderer, unlimitedBudget, until } from './support.ts';

await describeSandboxed('the renderer on Lambda', () => {
  testRendererContract(async () => {
    const aws = await startAws();
    Object.assign(process.env, aws.environment);
    const bucket = makeBucket(aws.s3);
    const budget = unlimitedBudget();
    const renderer = await openRenderer(aws, { budget });
    return {
      renderer,
      isBilled: true,
      lossCode: 'function_killed',
      arrangeLoss: () => {
        aws.lambda.faults.push({ type: 'renderer', nth: 2, killAfterMs: 1_500 });
        return async () => undefined;
      },
      close: async () => {
        await until('all functions have ended', () => aws.lambda.statistics.active === 0);
        await until('all slots are free', () => budget.held.size === 0);
        await until('nothing but sites is left', () =>
          bucket.keys().every((key) => key.startsWith('sites/')),
        );
        await renderer.close();
        await aws.stop();
      },
    };
  });
});
