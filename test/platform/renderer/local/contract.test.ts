import { describe } from 'vitest';
import { testRendererContract } from '../renderer-contract.ts';
import { openBench } from './support.ts';

describe('the renderer on this machine', () => {
  testRendererContract(async (workshop) => {
    const bench = await openBench(workshop);
    return {
      renderer: bench.renderer,
      isBilled: false,
      lossCode: 'browser_lost',
      arrangeLoss: () => async () => {
        const [browser] = await bench.browsers();
        if (browser === undefined) throw new Error('There is no browser to kill.');
        process.kill(browser.pid, 'SIGKILL');
      },
      close: () => bench.close(),
    };
  });
});
