// Runs a program to its end: what it printed, and what it and the processes that it started took.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

/** Between two looks at the memory, ms. */
const LOOK_EVERY_MS = 20;

/**
 * Seconds, CPU seconds of all its processes and threads, and the most memory that they had at once as it was looked
 * at, resident megabytes: pages that several of them share count for each.
 */
export async function runMeasured(command, args) {
  const begun = performance.now();
  // bash counts the processor time of what it waited for, and what that waited for.
  const script = 'TIMEFORMAT="%U %S"; time "$@"';
  const child = spawn('bash', ['-c', script, 'bash', command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    // It tells them with a point.
    env: { ...process.env, LC_ALL: 'C' },
  });
  let kilobytes = 0;
  const looking = setInterval(() => {
    kilobytes = Math.max(kilobytes, residentIn(child.pid));
  }, LOOK_EVERY_MS);
  const [stdout, said, [status]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close'),
  ]);
  clearInterval(looking);
  const lines = said.trimEnd().split('\n');
  const [user, system] = lines.pop().split(' ').map(Number);
  if (status !== 0)
    throw new Error(`${command} ${args.join(' ')}: exit code ${status}\n${lines.join('\n')}`);
  return {
    stdout,
    seconds: (performance.now() - begun) / 1000,
    cpuSeconds: user + system,
    megabytes: kilobytes / 1024,
  };
}

/** Of a process and what it has started, kB; of one that has just ended nothing. */
function residentIn(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    const [, own = 0] = /VmRSS:\s+(\d+)/.exec(status) ?? [];
    return children
      .split(' ')
      .filter((one) => one.trim() !== '')
      .reduce((sum, one) => sum + residentIn(one), Number(own));
  } catch {
    return 0;
  }
}
