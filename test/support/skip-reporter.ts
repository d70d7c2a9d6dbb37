import type { Reporter, TestModule } from 'vitest/node';

/** The last lines of a run say what passed only when it was tried again, and what did not run; in CI a skipped test is a failure, since nobody reads the log of a green run. */
export default class SkipReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const unsteady: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        counts[state === 'pending' ? 'skipped' : state] += 1;
        if (test.diagnostic()?.flaky) unsteady.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
    }
    for (const name of unsteady) console.log(`passed only when it was tried again: ${name}`);
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
    const isCi = process.env.CI === 'true' || process.env.CI === '1';
    if (isCi && counts.skipped > 0) process.exitCode = 1;
  }
}
