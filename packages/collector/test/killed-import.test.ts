/** `collector import` of a pipe that grows, killed at random moments. `KILLS=100` for a hundred of them. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { BIN } from './child-process.ts';
import { inGroups, KILLS } from './kills.ts';
import { recordedRounds } from './recorded-rounds.ts';
import { temporaryFolder } from './traces.ts';

const top = temporaryFolder();
const CPUS = 2;

/** Rounds of two CPUs in turn, from the first on; when each was in the pipe, by performance.now. */
interface Fed {
  readonly inPipe: number[];
}

/** Goes on until nobody reads: few lines at a time or many, so that batches fill or wait. */
async function feed(stdin: NodeJS.WritableStream, fed: Fed): Promise<void> {
  let isRead = true;
  stdin.on('error', () => (isRead = false));
  stdin.on('close', () => (isRead = false));
  let lines = 0;
  let text = '# vhostscope 1\n';
  while (isRead) {
    const more = Math.random() < 0.2 ? 3000 : 1 + Math.floor(Math.random() * 40);
    for (let i = 0; i < more; i++, lines++)
      text += `M ${timeOf(lines)} ${lines % CPUS} ffff8880000010${lines % CPUS}0\n`;
    const upTo = lines;
    stdin.write(text, (error) => {
      if (error === null || error === undefined)
        while (fed.inPipe.length < upTo) fed.inPipe.push(performance.now());
    });
    text = '';
    await pause(5);
  }
}

const timeOf = (line: number): bigint => 1_000_000n + BigInt(line) * 1000n;

it(`killed at ${KILLS} random moments, it leaves what was in the pipe a moment before, or nothing`, async () => {
  let readable = 0;
  let judgedByAge = 0;
  await inGroups(KILLS, 5, async (at) => {
    const folder = join(top, String(at));
    mkdirSync(folder);
    const output = join(folder, 'trace.arrows');
    const child = spawn(process.execPath, [BIN, 'import', '-', '-o', output], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const gone = once(child, 'exit');
    const fed: Fed = { inPipe: [] };
    const feeding = feed(child.stdin, fed);
    // Half of them about where it begins, the others where it is at work.
    const isAtWork = at % 2 === 1;
    while (isAtWork && !existsSync(output)) await pause(5);
    await pause(Math.random() * 1500);
    const hasName = existsSync(output);
    child.kill('SIGKILL');
    const killed = performance.now();
    await gone;
    await feeding;
    // A file without a name may stay: nobody is there to remove it.
    const left = readdirSync(folder).filter((name) => !name.endsWith('.part'));
    expect(left.every((name) => name === 'trace.arrows')).toBe(true);
    if (left.length === 0) {
      expect(hasName).toBe(false);
      return;
    }
    readable++;
    const { rounds, end, damage } = await recordedRounds(output);
    expect(end).toBeUndefined();
    // And, where each CPU has told something, up to when nothing is missing.
    expect(damage[0]).toContain('the trace was not closed');
    expect(damage.length).toBeLessThanOrEqual(2);
    for (const [cpu, times] of rounds.entries()) {
      expect(times).toEqual(times.map((_, i) => timeOf(CPUS * i + cpu)));
      // From when it is at work on: half a second in which it waits for its batch, and what a busy machine adds.
      const missing = fed.inPipe[CPUS * times.length + cpu] ?? killed;
      if (isAtWork) expect(killed - missing).toBeLessThan(1500);
      judgedByAge += isAtWork ? 1 : 0;
    }
  });
  expect(readable).toBeGreaterThanOrEqual(Math.floor(KILLS / 2));
  expect(judgedByAge).toBeGreaterThanOrEqual(CPUS * Math.floor(KILLS / 2));
}, 600_000);
