import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { setTestEnvironment } from './test/setup/environment.ts';

setTestEnvironment();
const workers = Math.min(2, availableParallelism());

export default defineConfig({
  test: {
    pool: 'forks',
    teardownTimeout: 10_000,
    // A condition is waited for as long as a busy machine may need; a test that passes does not wait.
    expect: { poll: { timeout: 15_000 } },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'node_modules/**'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: workers,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 180_000,
          maxWorkers: 1,
          fileParallelism: false,
          // Pages that are only looked at, side by side.
          maxConcurrency: 3,
        },
      },
    ],
  },
});
