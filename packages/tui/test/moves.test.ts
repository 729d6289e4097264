/** Commands that come while something else is still under way. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { DashboardView } from '../src/dashboard.ts';
import { createSession } from '../src/session/create-session.ts';
import { design, driven, fileSession, optionsFor, type DrivenSession } from './driven-session.ts';
import { temporaryFolder, textOf, TRACES, writeTrace } from './traces.ts';

const folder = temporaryFolder();

async function open(name = 'merged'): Promise<DrivenSession> {
  const session = await fileSession(TRACES.s3, { design: design(name) });
  onTestFinished(async () => session.close());
  return session;
}

/** The numbers of a design at a moment, as a session finds them that is asked for nothing else. */
async function numbersAt(at: number, name: string): Promise<DashboardView['total']> {
  const session = await open(name);
  session.settle();
  session.tell({ do: 'seek', at });
  return session.settle().total;
}

test('a finished trace that is told to play before its first numbers plays from its start', async () => {
  const session = await open();
  session.tell({ do: 'speed', speed: 10 });
  session.tell({ do: 'play' });
  expect(session.view().clock).toMatchObject({ isPaused: false, speed: 10 });
  const { clock } = session.settle();
  // From the turn in which it came to its start.
  expect(clock).toMatchObject({ isPaused: false, speed: 10, at: 2e9 });
  session.pass(200);
  expect(session.settle().clock).toMatchObject({ isPaused: true, at: clock.end + 1 });
});

test('played and paused before the first numbers: it stands at its end, where it opens', async () => {
  const session = await open();
  session.tell({ do: 'play' });
  session.tell({ do: 'pause' });
  const { clock } = session.settle();
  expect(clock).toMatchObject({ isPaused: true, at: clock.end + 1 });
});

test('a growing trace that is paused before its first numbers stays paused, and its speed is as told', async () => {
  const { bytes, ends } = writeTrace(join(folder, 'whole'), textOf(TRACES.s3), 7);
  const path = join(folder, 'growing');
  const session = driven(await createSession(optionsFor({ kind: 'growing file', path })));
  onTestFinished(async () => session.close());
  session.pass(10);
  session.tell({ do: 'pause' });
  session.tell({ do: 'speed', speed: 3 });
  expect(session.view().clock).toMatchObject({ isPaused: true, isLive: true, speed: 3 });
  writeFileSync(path, bytes.subarray(0, ends[3]));
  session.pass(2000);
  session.pass(600);
  const paused = session.settle();
  expect(paused.clock).toMatchObject({ isPaused: true, at: 0, events: 0, speed: 3 });
  expect(paused.clock.end).toBeGreaterThan(0);
  session.tell({ do: 'play' });
  const { clock } = session.settle();
  expect(clock).toMatchObject({ isPaused: false, isLive: true });
  expect(clock.events).toBeGreaterThan(1000);
});

test('l, a jump and another design while a trace is opened do not keep it from opening', async () => {
  const end = (await open()).settle().clock;
  for (const command of [{ do: 'live' }, { do: 'design', name: 'copy' }] as const) {
    const session = await open();
    session.advance(0, 0);
    expect(session.view().clock.seeking).toBeDefined();
    session.tell(command);
    const { clock, design: name } = session.settle();
    expect(clock).toMatchObject({ at: end.at, events: end.events });
    expect(name).toBe(command.do === 'design' ? 'copy' : 'merged');
  }
  const session = await open();
  session.advance(0, 0);
  session.tell({ do: 'seek', at: 1e9 });
  expect(session.settle().clock.at).toBe(1e9);
  expect(session.view().total).toEqual(await numbersAt(1e9, 'merged'));
});

test('while another design is on its way the numbers stand under the name of the one before', async () => {
  const session = await open();
  session.settle();
  session.tell({ do: 'seek', at: 5e8 });
  const before = session.settle();
  session.tell({ do: 'design', name: 'fixes-v5' });
  const meanwhile = session.view();
  expect(meanwhile.clock.seeking).toBeDefined();
  expect(meanwhile).toMatchObject({ design: 'merged', total: before.total });
  expect(meanwhile.recording.order).toBe(before.recording.order);
  expect(session.settle().design).toBe('fixes-v5');
});

test.each([1.5e9, 2e8])(
  'a jump to %d that comes before another design is there keeps both',
  async (at) => {
    const session = await open();
    session.settle();
    session.tell({ do: 'seek', at: 5e8 });
    session.settle();
    session.tell({ do: 'design', name: 'fixes-v5' });
    session.tell({ do: 'seek', at });
    const view = session.settle();
    expect(view).toMatchObject({ design: 'fixes-v5', clock: { at } });
    expect(view.total).toEqual(await numbersAt(at, 'fixes-v5'));
  },
);

test('a jump that is given another goal on the way has all of the window before it', async () => {
  const window = 3e8;
  const openNarrow = async (name: string): Promise<DrivenSession> => {
    const session = await fileSession(TRACES.f1, { design: design(name), window });
    onTestFinished(async () => session.close());
    session.settle();
    return session;
  };
  const session = await openNarrow('fixes-v5');
  // Now it is known how both are judged.
  session.tell({ do: 'design', name: 'merged' });
  const { clock } = session.settle();
  session.tell({ do: 'design', name: 'fixes-v5' });
  let seeking = session.view().clock.seeking ?? 1;
  for (let now = 1e4; seeking < 0.2; now += 200) {
    session.advance(now, 0);
    ({ seeking = 1 } = session.view().clock);
  }
  const at = Math.round(seeking * clock.end + window / 2);
  expect(at).toBeLessThan(clock.end - window);
  session.tell({ do: 'seek', at });
  const { total, virtqueues, clock: found } = session.settle();
  expect(found.at).toBe(at);
  const fresh = await openNarrow('fixes-v5');
  fresh.tell({ do: 'seek', at });
  const wanted = fresh.settle();
  expect(total).toEqual(wanted.total);
  expect(virtqueues).toEqual(wanted.virtqueues);
});

test('a jump keeps its goal when another design is chosen on the way', async () => {
  const session = await open();
  session.settle();
  session.tell({ do: 'seek', at: 5e8 });
  session.tell({ do: 'design', name: 'fixes-v5' });
  const view = session.settle();
  expect(view).toMatchObject({ design: 'fixes-v5', clock: { at: 5e8 } });
  expect(view.total).toEqual(await numbersAt(5e8, 'fixes-v5'));
  // Who plays on the way starts where the jump ends, and not at the beginning.
  session.tell({ do: 'live' });
  session.settle();
  session.tell({ do: 'seek', at: 1e9 });
  session.tell({ do: 'play' });
  expect(session.settle().clock).toMatchObject({ isPaused: false, at: 1.2e9 });
});

test('a step waits until another design is there, and says so', async () => {
  const session = await open();
  session.settle();
  session.tell({ do: 'seek', at: 5e8 });
  session.settle();
  session.tell({ do: 'design', name: 'fixes-v5' });
  session.tell({ do: 'step', kind: 'round', by: 1 });
  expect(session.view().answer?.text).toContain('still going there');
  expect(session.settle()).toMatchObject({ design: 'fixes-v5', clock: { at: 5e8 } });
});

test('keys that come during a jump count from what was chosen last', async () => {
  const session = await open();
  const { designs } = session.settle();
  const at = designs.indexOf('merged');
  session.tell({ do: 'seek', at: 5e8 });
  for (const _ of [1, 2]) {
    const { wanted, design: shown } = session.view();
    expect(shown).toBe('merged');
    session.tell({ do: 'design', name: designs[designs.indexOf(wanted.design) + 1] });
    session.tell({ do: 'window', ns: session.view().wanted.window / 2 });
  }
  const view = session.settle();
  expect(view).toMatchObject({ design: designs[at + 2], window: 2.5e9, clock: { at: 5e8 } });
  expect(view.wanted).toEqual({ design: view.design, beside: undefined, window: view.window });
});

test.each(['event', 'round', 'invalidation'] as const)(
  'a step to the next %s that is asked for three times at once is three steps',
  async (kind) => {
    const session = await open();
    session.settle();
    session.tell({ do: 'seek', at: 5e8 });
    session.settle();
    const moments: number[] = [];
    for (let steps = 0; steps < 3; steps++) {
      session.tell({ do: 'step', kind, by: 1 });
      moments.push(session.settle().clock.at);
    }
    session.tell({ do: 'seek', at: 5e8 });
    session.settle();
    for (let steps = 0; steps < 3; steps++) session.tell({ do: 'step', kind, by: 1 });
    expect(session.settle().clock.at).toBe(moments[2]);
    expect(new Set(moments).size).toBe(3);
  },
);

test('who goes to a storm sees it: where it has become one', async () => {
  const session = await fileSession(TRACES.s3);
  onTestFinished(async () => session.close());
  const [storm] = session.settle().storms;
  session.tell({ do: 'seek storm', number: storm?.number ?? 0 });
  const there = session.settle();
  expect(there.clock.at).toBeGreaterThan(storm?.begin ?? Infinity);
  expect(there.storms).toMatchObject([
    { number: storm?.number, begin: storm?.begin, isOver: false },
  ]);
  // As it begins nothing tells that it will be one.
  session.tell({ do: 'seek', at: storm?.begin ?? 0 });
  expect(session.settle().storms).toEqual([]);
  session.tell({ do: 'step', kind: 'storm', by: 1 });
  expect(session.settle().clock.at).toBe(there.clock.at);
});

test('steps to storms that are pressed on the way to one go on from there', async () => {
  const session = await fileSession(TRACES.s3, { stormRate: 20 });
  onTestFinished(async () => session.close());
  const begins = session
    .settle()
    .storms.map(({ from }) => from)
    .toReversed();
  expect(begins.length).toBeGreaterThan(0);
  session.tell({ do: 'step', kind: 'storm', by: -1 });
  session.tell({ do: 'step', kind: 'storm', by: -1 });
  const { clock, answer } = session.settle();
  expect(clock.at).toBe(begins.at(-2) ?? begins.at(-1));
  expect(answer === undefined).toBe(begins.length > 1);
});

test('a step does not break off a jump', async () => {
  const session = await open();
  session.settle();
  session.tell({ do: 'seek', at: 5e8 });
  session.settle();
  session.tell({ do: 'seek', at: 1.5e9 });
  session.tell({ do: 'step', kind: 'round', by: 1 });
  expect(session.view().answer?.text).toContain('still going there');
  expect(session.settle().clock.at).toBe(1.5e9);
});
