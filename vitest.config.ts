import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/fixtures/**'],
    globalSetup: ['test/support/global-setup.ts'],
    // Files share one database server and one machine with real browsers: more at once only makes each one slower.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes at once on a quiet machine; only a failing test ever waits so long.
    expect: { poll: { timeout: 20_000 } },
    passWithNoTests: false,
    // Real processes on a shared machine: a test that fails in CI is tried again, twice at most, and the run's end names it.
    retry: process.env.CI === 'true' ? 2 : 0,
    reporters: ['default', 'test/support/skip-reporter.ts'],
  },
});
