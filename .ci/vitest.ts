import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** What was found once is looked at before anything is drawn. */
class KnownFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isKnown = ({ moduleId }: TestSpecification): boolean => moduleId.endsWith('/properties/corpus.test.ts');
    const sorted = await super.sort(files);
    return [...sorted.filter(isKnown), ...sorted.filter((file) => !isKnown(file))];
  }
}

/** `npm test` runs what needs nothing but Node; `npm run test:systems` (mode `systems`) what drives real systems. */
const config = defineConfig(({ mode }) => ({
  test: {
    root: `${import.meta.dirname}/..`,
    include: mode === 'systems' ? ['**/*.system.test.ts', '.ci/*.system.test.ts'] : ['**/*.test.ts', '.ci/*.test.ts'],
    exclude: [
      'node_modules/**',
      'dist/**',
      'reports/out/**',
      ...(mode === 'systems' ? [] : ['**/*.system.test.ts', '.ci/*.system.test.ts']),
    ],
    // Real systems share cores: one file at a time.
    fileParallelism: mode !== 'systems',
    sequence: { sequencer: KnownFirst },
    // What the tests run is not what a job of GitHub wants to tell.
    env: { GITHUB_STEP_SUMMARY: '' },
    testTimeout: mode === 'systems' ? 600_000 : 180_000,
    // A virtual machine boots in seconds, and on a busy machine in tens of them.
    hookTimeout: mode === 'systems' ? 120_000 : 10_000,
    coverage: {
      provider: 'v8',
      include: ['model/**/*.ts', 'impl/optimised/**/*.ts', 'properties/**/*.ts', 'reports/**/*.ts'],
      exclude: ['**/*.test.ts', '**/*.fixture.ts', 'reports/*fixture.ts'],
      reporter: ['text', 'html', 'json-summary'],
      reportsDirectory: 'reports/out/coverage',
      // A reviewer wants the figures most where something has failed.
      reportOnFailure: true,
      // Reports are made by commands too, in processes of their own that are not counted: they have no threshold.
      thresholds: Object.fromEntries(
        ['model/**', 'impl/optimised/**', 'properties/**'].map((folder) => [folder, { branches: 95 }]),
      ),
    },
  },
}));

// Vitest takes its configuration from the default export and from nowhere else.
// biome-ignore lint/style/noDefaultExport: see above
export default config;
