// Child processes: shown or quiet, and ended when we are.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** Ends the run with an exit code; the message, if any, is for people. */
export class Failed extends Error {
  /**
   * @param {string} message
   * @param {number} exitCode
   */
  constructor(message, exitCode) {
    super(message);
    this.name = 'Failed';
    this.exitCode = exitCode;
  }
}

// A reader of our talk that has gone away (`npm start 2>&1 | head`) is no reason to stop.
process.stderr.on('error', () => {});

/** One line for people; stdout belongs to the programs that we run. */
export function talk(text) {
  process.stderr.write(`vhostscope: ${text}\n`);
}

/** The environment for the tools of the workspace: they are found, and they do not phone home. */
export function toolEnvironment() {
  const env = {
    ...process.env,
    // turbo looks for pnpm on the PATH, and a tool must run on the Node that was checked.
    PATH: [join(root, 'node_modules/.bin'), dirname(process.execPath), process.env.PATH]
      .filter(Boolean)
      .join(delimiter),
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    DO_NOT_TRACK: '1',
    npm_config_update_notifier: 'false',
  };
  // Some tools colour a pipe when CI is set; a log is easier to read, and to search, without.
  if (!process.stdout.isTTY && env.FORCE_COLOR === undefined) env.NO_COLOR = '1';
  return env;
}

/**
 * Runs a command.
 *
 * @param {string[]} command - program and arguments; no shell, so blanks are safe
 * @param {{ cwd: string, env?: NodeJS.ProcessEnv, quiet?: boolean }} options - quiet: show the
 *   output only when it fails, and then all of it
 * @returns {Promise<number>} its exit code, 128 + the signal's number if a signal ended it
 * @throws {Failed} when it cannot be started, or when we are told to stop
 */
export function exec([program, ...args], { cwd, env = process.env, quiet = false }) {
  if (interrupted) return Promise.reject(interruption());
  const { promise, resolve, reject } = withResolvers();
  const output = [];
  const child = spawn(program, args, {
    cwd,
    env,
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit',
  });
  current = child;
  child.stdout?.on('data', (chunk) => output.push(chunk));
  child.stderr?.on('data', (chunk) => output.push(chunk));
  child.on('error', (error) => {
    current = undefined;
    reject(new Failed(`cannot start ${program}: ${error.message}`, 2));
  });
  child.on('close', (code, signal) => {
    current = undefined;
    clearTimeout(forwarding);
    if (interrupted) return reject(interruption());
    if (quiet && code !== 0) process.stderr.write(Buffer.concat(output));
    resolve(code ?? 128 + constants.signals[signal]);
  });
  return promise;
}

/** @type {import('node:child_process').ChildProcess | undefined} */
let current;
/** @type {NodeJS.Signals | undefined} */
let interrupted;
let forwarding;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A Ctrl-C arrives twice, from the terminal and from npm.
    if (interrupted) return;
    interrupted = signal;
    // The terminal has told the child already; telling it again could cut short its tidying up.
    const toldByTerminal = signal === 'SIGINT' && (process.stdin.isTTY || process.stderr.isTTY);
    if (!toldByTerminal) forwarding = setTimeout(() => end(signal), 200);
    else forwarding = setTimeout(() => end('SIGTERM'), GRACE_MS);
  });
}

/** How long a child may take to save its work before it is told more plainly. */
const GRACE_MS = 10_000;

function end(signal) {
  current?.kill(signal);
  if (signal === 'SIGKILL') return;
  const next = signal === 'SIGTERM' ? 'SIGKILL' : 'SIGTERM';
  forwarding = setTimeout(() => end(next), GRACE_MS);
}

function interruption() {
  return new Failed('', 128 + constants.signals[interrupted]);
}

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers() {
  let resolve;
  let reject;
  const promise = new Promise((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
