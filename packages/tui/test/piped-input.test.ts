/** Text and traces from a pipe. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { FORMAT_VERSION } from '@vhostscope/trace';
import { expect, test } from 'vitest';
import type { DashboardView } from '../src/dashboard.ts';
import { until } from './driven-session.ts';
import { pipedSession, type PipedSession } from './piped-session.ts';
import { replayedTotals, totalsOf } from './replayed-totals.ts';
import { freshPaths, temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const newPath = freshPaths(temporaryFolder());
const traceOf = (text: string, flushes = 7): ReturnType<typeof writeTrace> =>
  writeTrace(newPath(), text, flushes);
const S3 = textOf(TRACES.s3);

/**
 * Writes lines, some at a time: they are shown as they come, from so many events on, and at the end the numbers are
 * those of the same text as a file.
 */
async function playedAsItCame(
  { session, write, end }: PipedSession,
  lines: readonly string[],
  atOnce: number,
  events: number,
): Promise<DashboardView> {
  for (let at = 0; at < lines.length; at += atOnce) {
    await write(lines.slice(at, at + atOnce).join(''));
    session.pass(20);
    await sleep(2);
  }
  const live = await until(session, ({ clock }) => clock.events > events);
  expect(live.source.state).toBe('reading');
  end();
  const view = await until(session, ({ source }) => source.state === 'ended');
  const path = newPath();
  writeFileSync(path, lines.join(''), 'latin1');
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(path));
  return view;
}

test('bpftrace text from a pipe, with junk and losses, comes to what the same text does as a file', async () => {
  const lines = S3.split(/(?<=\n)/).slice(0, 9000);
  lines.splice(2000, 0, 'not an event\n', 'Lost 17 events\n', 'A 1 2\n');
  const pipe = pipedSession(newPath());
  expect(pipe.session.settle().source).toMatchObject({ state: 'reading', isEmpty: true });
  const view = await playedAsItCame(pipe, lines, 300, 1000);
  expect(view.source.problems.join()).toMatch(/bpftrace lost 17 events.*1 line could not be read/s);
  expect(view.recording).toMatchObject({ complete: 'no' });
  expect(new Map(view.recording.lost)).toEqual(
    new Map([
      ['bpftrace', 17],
      ['unreadable input', 1],
    ]),
  );
});

test('perf script text from a pipe, as it comes, comes to what the same text does as a file', async () => {
  const golden = join(import.meta.dirname, '../../trace/test/golden/perf-script-default.txt.gz');
  const lines = gunzipSync(readFileSync(golden))
    .toString('latin1')
    .split(/(?<=\n)/);
  lines.splice(3000, 0, (lines[2999] ?? '').replace(/vho:.*/, 'PERF_RECORD_LOST lost 17'));
  const pipe = pipedSession(newPath());
  const view = await playedAsItCame(pipe, lines, 500, 100);
  expect(view.source.problems.join()).toMatch(/perf lost 17 events/);
  const facts = new Map(view.recording.facts);
  expect(facts.get('clock')).toBe('not known');
  expect(facts.get('format')).toBe('text, as it was printed');
  expect(facts.has('written by')).toBe(false);
  // As replay run has it: whoever recorded picks the events.
  expect(view.recording.assumptions).toContain(
    'but for what is known to be missing, all events that a design depends on were recorded, of all CPUs and all the time',
  );
});

test('a trace from a pipe, and nothing, and junk', async () => {
  const { bytes } = traceOf(S3);
  const one = pipedSession(newPath());
  void (async () => {
    for (let at = 0; at < bytes.length; at += 30_000) {
      await one.write(bytes.subarray(at, at + 30_000));
      await sleep(1);
    }
    one.end();
  })();
  // So slowly that no CPU is taken for silent, however long the machine takes.
  const view = await until(one.session, ({ source }) => source.state === 'ended', 2);
  const path = newPath();
  writeFileSync(path, bytes);
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(path));
  expect(new Map(view.recording.facts).get('format')).toBe(String(FORMAT_VERSION));

  const nothing = pipedSession(newPath());
  nothing.end();
  const empty = await until(nothing.session, ({ source }) => source.state === 'ended');
  expect(empty.source.problems.join()).toContain('is empty');

  const junk = pipedSession(newPath());
  await junk.write('all\nof\nthis\n');
  junk.end();
  const none = await until(junk.session, ({ source }) => source.state === 'ended');
  expect(none.source.problems.join()).toContain('no events');
});

test('a pipe that ends before its recording did is said to', async () => {
  const { bytes, ends } = traceOf(S3);
  const { session, write, end } = pipedSession(newPath());
  for (let at = 0; at < (ends[2] ?? 0); at += 9000) {
    await write(bytes.subarray(at, Math.min(ends[2] ?? 0, at + 9000)));
    await sleep(2);
    session.pass(20);
  }
  expect(session.settle().recording.complete).toBe('not known yet');
  end();
  const view = await until(session, ({ source }) => source.state === 'ended');
  expect(view.recording.complete).toBe('no');
  expect(view.source.problems.join()).toContain('ended before the recording did');
});

test('a text without its first line is judged anew where it comes to tell of another host', async () => {
  const vq = 'ffff8cc54f964ab0';
  const head = [
    `V 1000 0 ${vq} ffff8cc54f960000 214 1 1`,
    `U 2000 0 ${vq} 0 7fef24a07000 4096 -`,
    `U 3000 0 ${vq} 1 7fef24a08000 518 -`,
    `U 4000 0 ${vq} 2 7fef24a09000 2054 -`,
  ];
  const rounds = Array.from({ length: 20 }, (_, at) => [
    `M ${10_000 + 100 * at} 0 ${vq}`,
    `E ${10_050 + 100 * at} 0 ${vq} 2 256 1 4000000000000 4002e002e002e`,
  ]).flat();
  const { session, write, end } = pipedSession(newPath());
  await write(`${head.join('\n')}\n`);
  const early = await until(session, ({ clock }) => clock.events > 0);
  expect(early.recording.facts).toContainEqual(['host', 'with the direct-map driver']);
  await write(`${rounds.join('\n')}\n`);
  const later = await until(session, ({ answer }) => answer !== undefined);
  expect(later.answer?.text).toContain('judged anew');
  expect(later.recording.facts[0]?.[1]).toMatch(/^stock/);
  expect(later.total.total.accesses).toBeGreaterThan(0);
  end();
  const view = await until(session, ({ source }) => source.state === 'ended');
  const path = newPath();
  writeFileSync(path, `${[...head, ...rounds].join('\n')}\n`);
  expect(totalsOf(view.total.total)).toEqual(await replayedTotals(path));
  expect(totalsOf(later.total.total)).toEqual(totalsOf(view.total.total));
});
