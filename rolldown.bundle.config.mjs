// `pnpm bundle`: each program as one file, for a host that has Node.js and nothing else: `node replay.mjs run TRACE`.
// What the programs read beside themselves, once built, stands in the file instead.
import { chmodSync, copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'rolldown';
import { licencesText, packagesIn } from './scripts/bundled-licences.mjs';
import { commitOf } from './scripts/run/build-note.mjs';

const root = fileURLToPath(new URL('.', import.meta.url));

const PROGRAMS = ['collector', 'replay', 'tui'];

/** Where the bundles go. */
const FOLDER = process.env.BUNDLE_FOLDER ?? 'bundle';

const source = (path) => JSON.stringify(join(root, 'packages', path));

/** A process that replays runs is the program too, and is told apart in it. */
const ENTRIES = {
  collector: `import ${source('collector/src/main.ts')};`,
  replay: `
    import { WORKER_ARGUMENT } from ${source('replay/src/fleet/worker-process.ts')};
    if (process.argv[2] === WORKER_ARGUMENT) await import(${source('replay/src/fleet/replay-worker.ts')});
    else await import(${source('replay/src/main.ts')});
  `,
  tui: `import ${source('tui/src/main.ts')};`,
};

/** By the end of its path: a module that reads a file beside it, as it is in a bundle. */
const IN_A_BUNDLE = new Map([
  ...PROGRAMS.map((name) => [
    `/packages/${name}/src/version.ts`,
    () => `
      export const readOwnBuild = () => (${JSON.stringify({ version: versionOf(name), commit: commitOf(root) })});
      export const readVersion = () => readOwnBuild().version;
    `,
  ]),
  [
    '/packages/replay/src/built-page.ts',
    () => `export const readBuiltPage = () => (${JSON.stringify(builtPage())});`,
  ],
  [
    '/packages/replay/src/worker-program.ts',
    () => `
      export const workerProgram = () => new URL(import.meta.url);
      export const programFiles = (program) => [program];
    `,
  ],
]);

/** The dashboard of `collector attach --tui` lies beside the collector. */
const DASHBOARD = {
  id: '/packages/collector/src/attach/dashboard-process.ts',
  from: "'../../tui/bin/tui.js'",
  to: "'./tui.mjs'",
};

function versionOf(name) {
  return JSON.parse(readFileSync(new URL(`packages/${name}/package.json`, import.meta.url)))
    .version;
}

function builtPage() {
  const read = (name) =>
    readFileSync(new URL(`packages/replay/dist/report-page/${name}`, import.meta.url), 'utf8');
  return { html: read('page.html'), style: read('page.css'), script: read('page.js') };
}

/** What the page of the report is made of is no module of the program: its build has told. */
function packagesOfPage() {
  return JSON.parse(
    readFileSync(new URL('packages/replay/dist/report-page/packages.json', import.meta.url)),
  );
}

/** By program, what others wrote of it. */
const packagesOf = new Map();

/** Programs that can be started by their name, and what their parts ask to be told. */
function handedOn(program) {
  return {
    name: 'handed on',
    generateBundle: (_options, bundle) => {
      const ofPage = program === 'replay' ? packagesOfPage() : [];
      packagesOf.set(program, [...packagesIn(bundle), ...ofPage]);
    },
    writeBundle: () => {
      chmodSync(join(FOLDER, `${program}.mjs`), 0o755);
      // Whichever program is the last has all of them.
      writeFileSync(join(FOLDER, 'THIRD-PARTY-LICENSES.txt'), licencesText(packagesOf));
      copyFileSync(join(root, 'LICENSE'), join(FOLDER, 'LICENSE'));
    },
  };
}

function bundled(program) {
  /** Modules of the program that were found: one that has another name by now would read a file that is not there. */
  const wanted = [...IN_A_BUNDLE.keys(), DASHBOARD.id].filter((end) =>
    end.startsWith(`/packages/${program}/`),
  );
  const found = new Set();
  return {
    name: 'bundled',
    resolveId: (id) => (id === `entry:${program}` ? id : undefined),
    load: (id) => {
      if (id === `entry:${program}`) return ENTRIES[program];
      // Ink's tools for those who develop with it.
      if (id.endsWith('/ink/build/devtools.js')) return 'export {};';
      const end = wanted.find((one) => id.endsWith(one));
      if (end !== undefined) found.add(end);
      return IN_A_BUNDLE.get(end)?.();
    },
    transform: (code, id) => {
      if (!id.endsWith(DASHBOARD.id)) return undefined;
      if (!code.includes(DASHBOARD.from)) throw new Error(`${id} does not name ${DASHBOARD.from}`);
      return code.replace(DASHBOARD.from, DASHBOARD.to);
    },
    buildEnd: () => {
      const missing = wanted.filter((end) => !found.has(end));
      if (missing.length > 0)
        throw new Error(`not in the bundle of ${program}: ${missing.join(', ')}`);
    },
  };
}

export default PROGRAMS.map((name) =>
  defineConfig({
    input: `entry:${name}`,
    platform: 'node',
    resolve: { conditionNames: ['@vhostscope/source', 'import', 'node', 'default'] },
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
    plugins: [bundled(name), handedOn(name)],
    output: {
      file: join(FOLDER, `${name}.mjs`),
      format: 'esm',
      banner: '#!/usr/bin/env node',
      codeSplitting: false,
    },
  }),
);
