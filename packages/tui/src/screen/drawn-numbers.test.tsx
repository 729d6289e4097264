/** What stands on the screen, read back from it: the numbers of the view, and nothing better than they are. */
import { renderToString } from 'ink';
import { describe, expect, test } from 'vitest';
import type { DashboardView, Decided, VirtqueueView } from '../dashboard.js';
import { Dashboard } from './Dashboard.js';
import { lookOf } from './look.js';
import { FIRST_STATE, type ScreenState } from './screen-state.js';
import { design, fileSession } from '../../test/driven-session.js';
import { TRACES } from '../../test/traces.js';

const LOOK = lookOf({ LANG: 'C.UTF-8' }, 8);
// oxlint-disable-next-line no-control-regex -- colours begin with one
const COLOURS = /\u001b\[[0-9;]*m/g;

/** So high that every view is seen to its end. */
const ROWS = 250;

function drawn(view: DashboardView, state: Partial<ScreenState>, columns: number): string[] {
  return renderToString(
    <Dashboard
      view={view}
      state={{ ...FIRST_STATE, ...state }}
      size={{ columns, rows: ROWS }}
      look={LOOK}
      onKeys={undefined}
    />,
    { columns },
  )
    .replaceAll(COLOURS, '')
    .split('\n')
    .map((line) => line.trimEnd());
}

/** A count that is written in full. */
function read(text: string | undefined): number {
  expect(text).toMatch(/^\d{1,3}(,\d{3})*$/);
  return Number(text?.replaceAll(',', ''));
}

/** The parts of the one line that is like that. */
function partsOf(lines: readonly string[], pattern: RegExp): string[] {
  const found = lines.flatMap((line) => {
    const [, ...parts] = pattern.exec(line) ?? [];
    return parts.length === 0 ? [] : [parts];
  });
  expect([pattern, found.length]).toEqual([pattern, 1]);
  return found[0] ?? [];
}

/** Per cent are of the counts, rounded down; between two of them lies what is ambiguous. */
function expectRatio(text: string | undefined, { accesses, hits, ambiguous }: Decided): void {
  if (accesses === 0) {
    expect(text).toBe('–');
    return;
  }
  expect(text).toMatch(/^≈?[^≈%]+ %$/);
  const [least = '', most] = (text ?? '').replace('≈', '').replace(' %', '').split('…');
  expect(most === undefined).toBe(ambiguous === 0);
  expectPercent(least, hits, accesses);
  if (most !== undefined) expectPercent(most, hits + ambiguous, accesses);
}

function expectPercent(text: string, part: number, whole: number): void {
  const exact = (100 * part) / whole;
  if (text === '<0.01') {
    expect(part).toBeGreaterThan(0);
    expect(exact).toBeLessThan(0.01);
    return;
  }
  expect(text).toMatch(/^\d{1,3}\.\d\d$/);
  expect(Number(text)).toBeLessThanOrEqual(exact + 1e-9);
  expect(Number(text)).toBeGreaterThan(exact - 0.01 - 1e-9);
  if (text === '100.00') expect(part).toBe(whole);
}

/** A cell of a column whose numbers end where its title does. */
function cellOf(titles: string, row: string, title: string): string | undefined {
  const at = titles.indexOf(title);
  expect(at).toBeGreaterThan(0);
  return row
    .slice(0, at + title.length)
    .split(/ {2,}/)
    .at(-1);
}

function checkHead(view: DashboardView, lines: readonly string[]): void {
  const [at = '', end = ''] = partsOf(lines, / ([\d,]+\.\d{3}) s of ([\d,]+\.\d{3}) s$/);
  const toNumber = (text: string): number => Number(text.replaceAll(',', ''));
  expect(toNumber(at)).toBe(Math.floor(view.clock.at / 1e6) / 1000);
  expect(toNumber(end)).toBe(Math.floor(view.clock.end / 1e6) / 1000);
}

function checkOverview(view: DashboardView): void {
  const lines = drawn(view, {}, 240);
  checkHead(view, lines);
  for (const [name, judgement] of [
    [view.design, view.total],
    [view.beside, view.besideTotal],
  ] as const) {
    if (name === undefined || judgement === undefined) continue;
    const [now, all, accesses] = partsOf(
      lines,
      new RegExp(`^${name} +now (.+?) {2}all (.+?) of ([\\d,]+) accesses`),
    );
    expect(read(accesses)).toBe(judgement.total.accesses);
    expectRatio(now, judgement.window);
    expectRatio(all, judgement.total);
  }
  const titles = lines.find((line) => line.startsWith('  virtqueue')) ?? '';
  const rows = lines.filter((line) => /^(▸ | {2})vq \d/.test(line));
  expect(rows).toHaveLength(view.virtqueues.length);
  for (const row of rows) {
    const vq = Number(/vq (\d+)/.exec(row)?.[1]);
    const one = view.virtqueues.find((each) => each.vq === vq);
    if (one === undefined) throw new Error(`vq ${vq} is drawn and not in the view`);
    checkRow(titles, row, one, view);
  }
}

function checkRow(titles: string, row: string, one: VirtqueueView, view: DashboardView): void {
  const { design: chosen, beside } = view;
  expectRatio(cellOf(titles, row, beside === undefined ? 'hits now' : chosen), one.chosen.window);
  expectRatio(cellOf(titles, row, 'hits in all'), one.chosen.total);
  if (beside === undefined) return;
  expect(one.beside).toBeDefined();
  if (one.beside !== undefined) expectRatio(cellOf(titles, row, beside), one.beside.window);
}

function checkQueue(view: DashboardView): void {
  const { queue, beside } = view;
  const one = view.virtqueues.find(({ vq }) => vq === queue?.vq);
  if (queue === undefined || one === undefined) throw new Error('no virtqueue is looked at');
  const lines = drawn(view, { view: 'queue', vq: queue.vq }, 100);
  const judged = lines.flatMap((line) => {
    const [, ratio, ...counts] =
      /^ *in all +(.+?) of ([\d,]+): ([\d,]+) fallbacks, ([\d,]+) ambiguous$/.exec(line) ?? [];
    return ratio === undefined ? [] : [{ ratio, counts: counts.map(read) }];
  });
  const judgements = beside === undefined ? [one.chosen] : [one.chosen, one.beside];
  expect(judged).toHaveLength(judgements.length);
  for (const [at, judgement] of judgements.entries()) {
    if (judgement === undefined) throw new Error('the second design is not judged');
    const { total } = judgement;
    const [accesses = 0, fallbacks = 0, ambiguous = 0] = judged[at]?.counts ?? [];
    expect({ accesses, fallbacks, ambiguous }).toEqual({
      accesses: total.accesses,
      fallbacks: total.fallbacks + total.iotlb,
      ambiguous: total.ambiguous,
    });
    // What is left hits.
    expect(accesses - fallbacks - ambiguous).toBe(total.hits);
    expectRatio(judged[at]?.ratio, total);
  }
  const accessors = lines.flatMap((line) => {
    const [, name, ...cells] =
      /^ +([gp][eu]t_\w+) +([\d,]+) +([\d,]+) +([\d,]+) +(\S.*)$/.exec(line) ?? [];
    return name === undefined
      ? []
      : [{ name, counts: cells.slice(0, 3).map(read), ratio: cells[3] }];
  });
  expect(accessors.map(({ name }) => name)).toEqual(queue.accessors.map(({ name }) => name));
  for (const [at, { decided }] of queue.accessors.entries()) {
    expect(accessors[at]?.counts).toEqual([
      decided.accesses,
      decided.fallbacks + decided.iotlb,
      decided.ambiguous,
    ]);
    expectRatio(accessors[at]?.ratio, decided);
  }
}

function checkStorms(view: DashboardView): void {
  const lines = drawn(view, { view: 'storms' }, 160);
  const [storm] = view.storms;
  if (storm === undefined) return;
  const { decided } = storm;
  const counts = partsOf(
    lines,
    /^accesses +([\d,]+): ([\d,]+) hits, ([\d,]+) fallbacks, ([\d,]+) ambiguous$/,
  );
  expect(counts.map(read)).toEqual([
    decided.accesses,
    decided.hits,
    decided.fallbacks + decided.iotlb,
    decided.ambiguous,
  ]);
}

function checkRecording(view: DashboardView): void {
  const lines = drawn(view, { view: 'recording' }, 100);
  const rows = lines.slice(lines.indexOf('events') + 1);
  const end = rows.indexOf('');
  const counts = rows.slice(0, end).map((row): [string, number] => {
    const [, name = '', count] = /^ +(\w+) +([\d,]+)$/.exec(row) ?? [];
    return [name, read(count)];
  });
  expect(counts).toEqual(view.recording.counts);
}

describe.each([
  ['s3', 'merged', 'fixes-v5'],
  ['u1', 'fixes-v5', undefined],
  ['stock', 'merged', 'copy'],
] as const)('%s by %s, beside %s', (name, chosen, beside) => {
  test('the numbers that are drawn are those of the view, at some moments', async () => {
    const session = await fileSession(TRACES[name], {
      design: design(chosen),
      beside: beside === undefined ? undefined : design(beside),
      window: 0.3e9,
    });
    const { end } = session.settle().clock;
    expect(end).toBeGreaterThan(0);
    for (const part of [1.01, 0.03, 0.31, 0.62, 0.9]) {
      session.tell({ do: 'seek', at: part * end });
      const { virtqueues } = session.settle();
      for (const { vq } of virtqueues) {
        session.tell({ do: 'look at', vq });
        checkQueue(session.settle());
      }
      const view = session.settle();
      checkOverview(view);
      checkStorms(view);
      checkRecording(view);
    }
    await session.close();
  });
});
