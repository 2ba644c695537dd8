import { defineConfig } from 'vitest/config';

/** The tests that judge a mutant: those that are quick, and answer the same each time they are asked. */
const config = defineConfig({
  test: {
    root: `${import.meta.dirname}/../..`,
    include: [
      '.ci/mutation/judge.ts',
      'impl/optimised/*.test.ts',
      'properties/*scenarios.test.ts',
      'properties/invariants/*.test.ts',
    ],
    // The judge asks the optimised implementation what these ask the model.
    exclude: ['properties/invariants/*model.test.ts'],
    setupFiles: ['.ci/mutation/seed.ts'],
    testTimeout: 60_000,
  },
});

// Vitest takes its configuration from the default export and from nowhere else.
// biome-ignore lint/style/noDefaultExport: see above
export default config;
