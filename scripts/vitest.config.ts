import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  // Not below scripts, whose files decide whether a cached result still holds.
  cacheDir: 'node_modules/.vite',
  test: { include: ['scripts/*.test.mjs'] },
});

export default config;
