/** Traces that hold what most do not. */
import { writeFileSync } from 'node:fs';
import { DESIGNS } from '@vhostscope/model';
import { FORMAT_VERSION } from '@vhostscope/trace';
import { expect, test } from 'vitest';
import { design, openSource } from './driven-session.ts';
import { replayedTotals, totalsOf } from './replayed-totals.ts';
import { freshPaths, temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const newPath = freshPaths(temporaryFolder());
const S3 = textOf(TRACES.s3);

test('names of the host are data, whatever is in them', async () => {
  const evil = '\\x1b[2J<b>"$(id)';
  const text = S3.replace(/^(R \d+ \d+ (?:\S+ ){7}).*$/gm, `$1${evil}`);
  const path = newPath();
  writeFileSync(path, text, 'latin1');
  const session = await openSource({ kind: 'file', path });
  const view = session.settle();
  expect(view.causes.length).toBeGreaterThan(0);
  expect(new Set(view.causes.map(({ comm }) => comm))).toEqual(new Set([evil]));
});

test('of a text no format and no writer are told, of a trace file those of the file', async () => {
  const text = newPath();
  writeFileSync(text, S3, 'latin1');
  const trace = newPath();
  writeTrace(trace, S3, 3);
  const told = async (path: string): Promise<(string | boolean | undefined)[]> => {
    const { recording } = (await openSource({ kind: 'file', path })).settle();
    const facts = new Map(recording.facts);
    return [recording.isText, facts.get('format'), facts.get('written by')];
  };
  expect(await told(text)).toEqual([true, 'text, as it was printed', undefined]);
  expect(await told(trace)).toEqual([false, String(FORMAT_VERSION), 'test']);
});

test('of the designs that can be chosen, those that pin pages are told', async () => {
  const path = newPath();
  writeFileSync(path, S3, 'latin1');
  const own = { ...design('vmap-v1'), name: 'own' };
  const session = await openSource({ kind: 'file', path }, { designs: [...DESIGNS, own] });
  expect(session.view().pinning).toEqual(['vmap-v1', 'own']);
});

test('recordings whose clocks go back: sums are those of replay, and the end can be come back to', async () => {
  // The second begins before the first, and ends before it.
  const later = S3.replaceAll(/^(\w+) (\d{9,})/gm, (_, tag: string, time: string) =>
    [tag, BigInt(time) - 1_000_000_000n].join(' '),
  );
  const path = newPath();
  writeFileSync(path, S3 + later, 'latin1');
  const session = await openSource({ kind: 'file', path });
  const view = session.settle();
  const all = await replayedTotals(path);
  expect(totalsOf(view.total.total)).toEqual(all);
  expect(view.source.problems[0]).toMatch(/^recordings of this trace overlap in time: sums hold/);
  // The clock of the first goes further.
  expect(view.clock.at).toBe(view.clock.end + 1);
  expect(view.clock.end).toBeGreaterThan(3.4e9);
  for (const command of [{ do: 'seek', at: view.clock.end + 1 }, { do: 'live' }] as const) {
    session.tell({ do: 'seek', at: 1e9 });
    expect(session.settle().clock.at).toBe(1e9);
    session.tell(command);
    expect(totalsOf(session.settle().total.total)).toEqual(all);
  }
});
