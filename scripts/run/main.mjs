// What `npm start` and `npm test` do, once Node is known to be new enough, and what other scripts of package.json do
// first. Needs no package: it is what installs them.
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { build, install, root } from './setup.mjs';
import { exec, Failed, talk, toolEnvironment } from './exec.mjs';

/** The recording that comes with the repository. */
const EXAMPLE = 'examples/d1-dpdk-virtio-user.txt.gz';

/** What `npm start` runs, in this order, on the example or on the file that it is given. */
const START = ['run', 'verify'];

/** Of a recording without decisions there is nothing to verify. */
const START_STOCK = ['run'];

/** These two colour their output wherever CI is set, even with NO_COLOR; they use it for nothing else. */
const NO_CI = { CI: undefined };

/** What `npm test` runs after the build. All of it runs, even when one part fails. */
const TEST = [
  { name: 'format', command: ['oxfmt', '--check'], advice: 'npm run format', env: NO_CI },
  { name: 'lint', command: ['oxlint'], env: NO_CI },
  { name: 'imports', command: [process.execPath, 'scripts/check-imports.mjs'] },
  {
    name: 'types and tests',
    command: [
      'turbo',
      'run',
      'typecheck',
      'test',
      'test:scripts',
      // One package's log after the other, without a prefix: it reads as vitest wrote it.
      '--log-order=grouped',
      '--log-prefix=none',
      // A test run has threads of its own: more runs than processors take longer in all.
      '--concurrency=100%',
      '--continue=dependencies-successful',
      '--no-update-notifier',
    ],
  },
];

const USAGE = `Usage: npm start [-- TRACE]   set up, then replay TRACE, or the example, and verify it if it holds decisions
       npm test                 set up, then check format, lint, imports and types, and run the tests
       npm run SCRIPT           set up, then make a bundle or a package, measure, …: the scripts of package.json

The commands themselves, with their options: ./node_modules/.bin/replay --help
`;

/** `prepare` is the set-up alone. */
const TASKS = ['start', 'test', 'prepare'];

/**
 * @param {string[]} args - the task, then what stood behind `--`
 * @returns {Promise<number>} the exit code
 */
export async function main([task, ...args]) {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(USAGE);
    return 0;
  }
  const allowed = task === 'start' ? 1 : 0;
  if (!TASKS.includes(task) || args.length > allowed || args[0]?.startsWith('-')) {
    process.stderr.write(`vhostscope: cannot make sense of "${args.join(' ') || task}"\n${USAGE}`);
    return 2;
  }
  try {
    await install();
    await build();
    if (task === 'prepare') return 0;
    return task === 'start' ? await start(args[0]) : await test();
  } catch (error) {
    if (!(error instanceof Failed)) throw error;
    if (error.message) talk(error.message);
    return error.exitCode;
  }
}

/** @param {string | undefined} file - as typed, so relative to where npm was called */
async function start(file) {
  const trace = file === undefined ? EXAMPLE : resolve(process.env.INIT_CWD ?? root, file);
  const isStock = hostKind(trace) === 'stock';
  for (const command of isStock ? START_STOCK : START) {
    process.stderr.write(`$ replay ${command} ${trace}\n`);
    const code = await exec([REPLAY, command, trace], { cwd: root });
    if (code !== 0) return code;
  }
  if (isStock) talk('a recording of a stock host holds no decisions: there is nothing to verify');
  return 0;
}

const REPLAY = './node_modules/.bin/replay';

/** @returns {string | undefined} undefined of what cannot be read: the command that follows says why */
function hostKind(trace) {
  const { stdout } = spawnSync(REPLAY, ['info', '--json', trace], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: MOST_INFO,
  });
  try {
    return JSON.parse(String(stdout)).host_kind ?? undefined;
  } catch {
    return undefined;
  }
}

/** Bytes of a description of a trace that are read. */
const MOST_INFO = 256 << 20;

async function test() {
  const failed = [];
  for (const { name, command, advice, env } of TEST) {
    talk(`${name} …`);
    const code = await exec(command, { cwd: root, env: { ...toolEnvironment(), ...env } });
    if (code !== 0) failed.push(advice ? `${name} (put right by \`${advice}\`)` : name);
  }
  if (failed.length === 0) return 0;
  talk(`failed: ${failed.join(', ')}`);
  return 1;
}
