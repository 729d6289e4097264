import { defineConfig, type ViteUserConfig } from 'vitest/config';

const config: ViteUserConfig = defineConfig({
  test: { root: import.meta.dirname, include: ['*.test.mjs'] },
});

export default config;
