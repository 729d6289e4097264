/** A batch whose body was changed, which shows when it is read. */
import { appendFileSync, closeSync, openSync, writeFileSync } from 'node:fs';
import { batchEnd, indexTrace, type BatchPlace, type TraceIndex } from '@vhostscope/trace';
import { expect, test } from 'vitest';
import type { DashboardView } from '../src/dashboard.ts';
import { openSource, until } from './driven-session.ts';
import { pipedSession, roundsOf } from './piped-session.ts';
import { freshPaths, temporaryFolder, writeTrace } from './traces.ts';

const newPath = freshPaths(temporaryFolder());

/** Rounds of one CPU: what it told before is all that there is. */
function damagedTrace(
  which: (recording: TraceIndex['recordings'][number]) => BatchPlace | undefined,
): { path: string; bytes: Uint8Array; ends: number[]; at: number; before: number } {
  const lines = Array.from({ length: 4000 }, (_, at) => `M ${1000 + at} 0 ffff888100000100\n`);
  const path = newPath();
  const { bytes, ends } = writeTrace(path, lines.join(''), 4);
  const fd = openSync(path, 'r');
  const [recording] = indexTrace(fd, bytes.length).recordings;
  closeSync(fd);
  const place = recording === undefined ? undefined : which(recording);
  if (place === undefined) throw new Error('no such batch');
  bytes[batchEnd(place) - place.bodyBytes] ^= 1;
  writeFileSync(path, bytes);
  const before = [...(recording?.events.get(0) ?? [])]
    .filter(({ offset }) => offset < place.offset)
    .reduce((rows, one) => rows + one.rows, 0);
  return { path, bytes, ends, at: place.offset, before };
}

const third = (): ReturnType<typeof damagedTrace> =>
  damagedTrace(({ events }) => events.get(0)?.at(2));

/** What is seen once all has come through a pipe. */
async function piped(bytes: Uint8Array): Promise<DashboardView> {
  const { session, write, end } = pipedSession(newPath());
  await write(bytes);
  end();
  return until(session, ({ source }) => source.state === 'ended');
}

function expectSaid(view: DashboardView, name: string, at: number): void {
  const said = view.source.problems.filter((problem) => problem.includes('was changed'));
  expect(said).toHaveLength(1);
  expect(said[0]).toContain(`${name}: batch at byte ${at} was changed`);
  expect(view.source.isStuck).toBe(false);
  expect(view.recording.complete).toBe('no');
  expect(view.source.problems.join()).not.toContain('--keep');
}

test('of a file what stands before it is shown', async () => {
  const { path, at, before } = third();
  const session = await openSource({ kind: 'file', path });
  const view = session.settle();
  expectSaid(view, path, at);
  expect(roundsOf(view)).toBe(before);
  session.tell({ do: 'seek', at: 500 });
  expect(roundsOf(session.settle())).toBe(500);
});

test('of a pipe what stands before it is shown', async () => {
  const { bytes, at, before } = third();
  const view = await piped(bytes);
  expectSaid(view, view.source.name, at);
  expect(roundsOf(view)).toBe(before);
});

test('of a file that grows what stands before it stays', async () => {
  const { bytes, ends, at, before } = third();
  const path = newPath();
  writeFileSync(path, bytes.subarray(0, ends[0]));
  const session = await openSource({ kind: 'growing file', path });
  await until(session, (view) => roundsOf(view) !== undefined && view.clock.at > 0);
  appendFileSync(path, bytes.subarray(ends[0]));
  const view = await until(session, ({ source }) => source.problems.length > 0);
  expectSaid(view, path, at);
  expect(roundsOf(view)).toBe(before);
});

test.each(['file', 'pipe'] as const)(
  'where a %s says how it ended, all is shown, and nothing is said of --keep',
  async (kind) => {
    const { path, bytes, at, before } = damagedTrace((recording) => recording.end);
    if (kind === 'file') {
      const session = await openSource({ kind, path });
      const view = session.settle();
      expectSaid(view, path, at);
      expect(roundsOf(view)).toBe(before);
      return;
    }
    const view = await piped(bytes);
    expectSaid(view, view.source.name, at);
    expect(roundsOf(view)).toBe(before);
  },
);
