// Builds the page of `replay report` (run in the folder of `replay`): template, style and one script, which
// the command puts into one file.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { defineConfig } from 'rolldown';
import { packagesIn } from './scripts/bundled-licences.mjs';

const PAGE = 'src/report/page';
const uplot = dirname(
  createRequire(join(process.cwd(), PAGE, 'page.ts')).resolve('uplot/package.json'),
);
const text = (...path) => readFileSync(join(...path), 'utf8');

export default defineConfig({
  input: { page: `${PAGE}/page.ts` },
  platform: 'browser',
  resolve: { conditionNames: ['@vhostscope/source', 'import', 'default'] },
  plugins: [
    {
      name: 'files of the page',
      buildStart() {
        for (const name of ['page.html', 'page.css']) this.addWatchFile(`${PAGE}/${name}`);
      },
      generateBundle(_options, bundle) {
        const style = `${text(uplot, 'dist/uPlot.min.css')}\n${text(PAGE, 'page.css')}`;
        this.emitFile({ type: 'asset', fileName: 'page.css', source: style });
        this.emitFile({ type: 'asset', fileName: 'page.html', source: text(PAGE, 'page.html') });
        // A bundle of the program has the page in it, as text.
        const packages = JSON.stringify(packagesIn(bundle));
        this.emitFile({ type: 'asset', fileName: 'packages.json', source: packages });
      },
    },
  ],
  output: {
    dir: 'dist/report-page',
    format: 'esm',
    minify: true,
    cleanDir: true,
    // Its licence wants to be where its code is.
    banner: `/*! uPlot\n${text(uplot, 'LICENSE').trim()}\n*/`,
  },
});
