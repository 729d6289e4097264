// Bundles a program (run in its package folder): one file per command instead of some hundred modules,
// which is most of the time that a short command takes. Libraries are built by tsc alone.
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';

export default defineConfig({
  input: { main: 'src/main.ts' },
  platform: 'node',
  resolve: {
    conditionNames: ['@vhostscope/source', 'import', 'node', 'default'],
    // Ink asks for it where it is debugged, which a built program never is.
    alias: {
      'react-devtools-core': fileURLToPath(new URL('scripts/no-devtools.mjs', import.meta.url)),
    },
  },
  // React has a slow half for those who develop with it.
  transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: true,
    cleanDir: true,
    chunkFileNames: '[name].js',
  },
});
