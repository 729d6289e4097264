/** `replay fleet` where few files may be open, as by `ulimit -n`: more traces than that. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { fleetResultSchema } from '../src/fleet/fleet-result.ts';

const REPOSITORY = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'replay few files '));
afterAll(() => rmSync(folder, { recursive: true }));

test('two hundred traces, forty open files: all are replayed, with the same figures', () => {
  const text = gunzipSync(readFileSync(join(REPOSITORY, 'examples/s3-resetup-under-storm.txt.gz')));
  const few = text.subarray(0, text.indexOf('\n', 20_000) + 1);
  mkdirSync(join(folder, 'traces'));
  const first = join(folder, 'traces', 'a0.txt');
  writeFileSync(first, few);
  for (let at = 1; at < 200; at++) copyFileSync(first, join(folder, 'traces', `a${at}.txt`));
  const out = execFileSync(
    '/bin/sh',
    ['-c', 'ulimit -n 40; exec "$NODE" "$REPLAY" fleet traces --json'],
    {
      cwd: folder,
      env: {
        ...process.env,
        NODE: process.execPath,
        REPLAY: join(import.meta.dirname, '../bin/replay.js'),
      },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 1 << 28,
    },
  );
  const { runs, totals } = fleetResultSchema.parse(JSON.parse(out));
  expect(runs).toHaveLength(200);
  expect(runs.map(({ status }) => status)).toEqual(runs.map(() => 'replayed'));
  expect(totals.unreadable).toBe(0);
  const rounds = runs.map((run) => (run.status === 'replayed' ? run.comparison : undefined));
  for (const one of rounds) expect(one?.designs).toEqual(rounds[0]?.designs);
}, 120_000);
