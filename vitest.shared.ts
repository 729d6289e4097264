import { fileURLToPath } from 'node:url';
import { defineConfig, type ViteUserConfig } from 'vitest/config';

/**
 * Tests see the sources of the other packages, so that they need no build and cannot pass on a
 * stale one. vite has two resolvers, and a package kept external has a third set of conditions.
 */
const conditions = ['@vhostscope/source', 'module', 'node', 'development|production'];

const config: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    // Only sources: the default would also run tests compiled into dist.
    include: ['src/**/*.test.ts', 'src/**/*.test.tsx', 'test/**/*.test.ts'],
    // Tests read whole traces; a machine that does something else meanwhile is no defect.
    testTimeout: 60_000,
    setupFiles: [fileURLToPath(new URL('vitest.properties.ts', import.meta.url))],
  },
});

/** Tests that start nats-server: a minute or two, and not part of `npm test`. One at a time, as they measure time. */
export const fleetTests: ViteUserConfig = {
  ...config,
  test: {
    include: ['fleet-tests/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
    fileParallelism: false,
  },
};

export default config;
