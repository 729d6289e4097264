// Bundles a program (run in its package folder): one file per command instead of some hundred modules,
// which is most of the time that a short command takes. Libraries are built by tsc alone.
import { existsSync } from 'node:fs';
import { defineConfig } from 'rolldown';

/** Started as a process of its own: nothing imports it. */
const PROCESSES = { 'replay-worker': 'src/fleet/replay-worker.ts' };

export default defineConfig({
  input: {
    main: 'src/main.ts',
    ...Object.fromEntries(Object.entries(PROCESSES).filter(([, source]) => existsSync(source))),
  },
  platform: 'node',
  resolve: { conditionNames: ['@vhostscope/source', 'import', 'node', 'default'] },
  // React has a slow half for those who develop with it,
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  // and Ink tools for them.
  plugins: [
    {
      name: 'without-developer-tools',
      load: (id) => (id.endsWith('/ink/build/devtools.js') ? 'export {};' : undefined),
    },
    {
      // What turbo takes out of its cache lies over what was there, and would be told to be of the commit that was noted
      // for that. So a note that knows none is part of what is built; `pnpm build` writes the true one behind it.
      name: 'of-no-commit',
      generateBundle() {
        this.emitFile({ type: 'asset', fileName: 'build.json', source: '{}\n' });
      },
    },
  ],
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    cleanDir: true,
    chunkFileNames: '[name].js',
  },
});
