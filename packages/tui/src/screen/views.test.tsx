/** Every view as it stands on a screen. */
import fc from 'fast-check';
import { renderToString } from 'ink';
import { expect, test } from 'vitest';
import {
  cause,
  dashboardView,
  decided,
  judgement,
  queueDetail,
  storm,
  virtqueue,
} from '../../test/made-up-views.js';
import type { DashboardView } from '../dashboard.js';
import { cellWidth } from './cell-width.js';
import { Dashboard } from './Dashboard.js';
import { lookOf } from './look.js';
import type { ScreenSize } from './screen-size.js';
import { FIRST_STATE, type ScreenState } from './screen-state.js';
import { VIEW_NAMES } from './view-names.js';

const LOOK = lookOf({ LANG: 'C.UTF-8' }, 8);
const ASCII = lookOf({ NO_COLOR: '1' }, 8);

interface Shot {
  readonly view?: Partial<DashboardView>;
  readonly state?: Partial<ScreenState>;
  readonly size?: ScreenSize;
  readonly look?: typeof LOOK;
}

/** The screen with its colours. */
function painted({ view, state, size = { columns: 80, rows: 24 }, look = LOOK }: Shot): string {
  return renderToString(
    <Dashboard
      view={dashboardView(view)}
      state={{ ...FIRST_STATE, ...state }}
      size={size}
      look={look}
      onKeys={undefined}
    />,
    { columns: size.columns },
  );
}

// oxlint-disable-next-line no-control-regex -- colours begin with one
const COLOURS = /\u001b\[[0-9;]*m/g;

function screen(shot: Shot): string {
  return `\n${painted(shot)
    .replaceAll(COLOURS, '')
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n')
    .trimEnd()}\n`;
}

test('overview', () => {
  expect(screen({})).toMatchInlineSnapshot();
});

test('overview, two designs side by side, on a wide screen', () => {
  const beside = judgement({ window: decided(500, 500), total: decided(50, 50, { ambiguous: 9 }) });
  expect(
    screen({
      size: { columns: 160, rows: 24 },
      view: {
        beside: 'fixes-v5',
        besideTotal: beside,
        virtqueues: [virtqueue(0, { beside }), virtqueue(1, { beside })],
        costReason: 'no rate of fixes-v5 was published for this host',
      },
    }),
  ).toMatchInlineSnapshot();
});

test('storms', () => {
  expect(
    screen({
      view: { storms: [storm(2, { isOver: false }), storm(1)] },
      state: { view: 'storms' },
    }),
  ).toMatchInlineSnapshot();
});

test('queue', () => {
  expect(
    screen({
      view: { queue: queueDetail(1) },
      state: { view: 'queue' },
      size: { columns: 140, rows: 40 },
    }),
  ).toMatchInlineSnapshot();
});

test('causes', () => {
  expect(screen({ state: { view: 'causes' } })).toMatchInlineSnapshot();
});

test('recording', () => {
  expect(
    screen({ state: { view: 'recording' }, size: { columns: 120, rows: 30 } }),
  ).toMatchInlineSnapshot();
});

test('help', () => {
  expect(
    screen({ state: { isHelp: true }, size: { columns: 100, rows: 40 } }),
  ).toMatchInlineSnapshot();
});

test('a list to choose a design from', () => {
  expect(screen({ state: { picker: { of: 'beside', index: 2 } } })).toMatchInlineSnapshot();
});

test('without UTF-8 all is ASCII', () => {
  for (const view of VIEW_NAMES)
    expect(
      painted({
        look: ASCII,
        state: { view },
        view: {
          queue: queueDetail(1),
          source: { ...dashboardView().source, name: 'Übung.arrows' },
          virtqueues: [virtqueue(1, { chosen: judgement({ total: decided(1, 2, { ambiguous: 3 }) }) })],
        },
      }),
      // oxlint-disable-next-line no-control-regex -- the escape of bold, faint and reverse
    ).toMatch(/^[\n\u001b\u0020-\u007e]*$/);
});

test('empty sources, missing ones and those with problems are said, and nothing breaks', () => {
  const empty: Partial<DashboardView> = {
    virtqueues: [],
    storms: [],
    causes: [],
    total: judgement({ total: decided(0, 0), window: decided(0, 0), reasons: [], areas: [] }),
  };
  const source = { name: '/run/x.sock', kind: 'socket', problems: [], isEmpty: true } as const;
  expect(screen({ view: { ...empty, source: { ...source, state: 'waiting' } } })).toContain(
    '! nobody listens there yet',
  );
  expect(screen({ view: { ...empty, source: { ...source, state: 'reading' } } })).toContain(
    '! the socket is empty so far',
  );
  const gone = screen({
    view: { source: { ...source, isEmpty: false, state: 'gone', problems: ['12 events lost', 'b'] } },
  });
  expect(gone).toContain('! the recorder is gone');
  expect(gone).toContain('! and 2 more: see the recording, 5');
  for (const view of VIEW_NAMES)
    expect(
      screen({ state: { view }, view: { ...empty, source: { ...source, state: 'ended' } } }),
    ).toContain('the trace holds no event');
});

test('a storm under way, a jump, live and paused are told at the top', () => {
  const { clock } = dashboardView();
  const top = (view: Partial<DashboardView>): string =>
    screen({ view }).split('\n').slice(1, 3).join('\n');
  expect(top({ storms: [storm(1, { isOver: false })] })).toContain('a storm is under way');
  expect(top({ clock: { ...clock, seeking: 0.426 } })).toContain('going there 42 %');
  expect(top({ clock: { ...clock, isLive: true } })).toContain('● live  12.345 s');
  expect(top({ clock: { ...clock, isPaused: true } })).toContain('■ paused  12.345 s of 60.000 s');
  expect(top({ clock: { ...clock, speed: 'max' } })).toContain('▸ as fast as it goes');
});

test('the last line: what is typed, what became of it, what can be pressed', () => {
  const last = (shot: Shot): string => screen(shot).trimEnd().split('\n').at(-1) ?? '';
  expect(last({ state: { prompt: { kind: 'jump', text: '12x', error: 'no moment' } } })).toBe(
    'go to: 12x   no moment',
  );
  const answer = { number: 1, text: 'saved as a.arrows', isError: false };
  expect(last({ view: { answer } })).toBe('saved as a.arrows');
  expect(last({ view: { answer }, state: { answerSeen: 1 } })).toContain('? help');
});

test('names of the host cannot do anything to the terminal', () => {
  const comm = '\u001b[2J\u001b]0;x\u0007\r\n\u009b1m\u202e';
  const causes: DashboardView['causes'] = [cause({ comm, cause: comm, className: undefined })];
  const view: Partial<DashboardView> = {
    source: { name: comm, kind: 'file', state: 'reading', problems: [comm], isEmpty: false },
    virtqueues: [
      virtqueue(1, { owner: { pid: 1, comm }, chosen: judgement({ reasons: [[comm, 1]] }) }),
    ],
    storms: [storm(1, { causes: [[comm, 1]], processes: [{ pid: 1, comm, ranges: 1 }] })],
    causes,
    queue: queueDetail(1, {
      callbacks: [comm],
      history: [{ at: 0, line: 1, what: comm }],
      attempts: [[comm, 1]],
      accessors: [{ name: comm, decided: decided(1, 0) }],
      ranges: queueDetail(1).ranges.map((one) => ({ ...one, comm, className: comm })),
    }),
    recording: {
      ...dashboardView().recording,
      facts: [[comm, comm]],
      assumptions: [comm],
      lost: [[comm, 1]],
      plan: [{ event: comm, way: comm, sureness: comm }],
    },
    design: comm,
    designs: [comm],
    answer: { number: 1, text: comm, isError: true },
    costReason: comm,
  };
  for (const name of VIEW_NAMES) {
    for (const state of [
      { view: name },
      { view: name, search: comm },
      { view: name, picker: { of: 'design', index: 0 } },
      { view: name, prompt: { kind: 'save', text: comm } },
    ] as const) {
      const text = painted({ view, state, size: { columns: 250, rows: 60 } }).replaceAll(COLOURS, '');
      // oxlint-disable-next-line no-control-regex -- none of them may be there
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
    expect(painted({ view, state: { view: name }, size: { columns: 250, rows: 60 } })).toContain(
      '\\x1b[2J',
    );
  }
});

test('a terminal that is too small is told what is needed', () => {
  const size = { columns: 40, rows: 10 };
  expect(screen({ size })).toBe('\nneeds 80x24\nthis is 40x10\nq leaves\n');
});

test('every view fills the screen but for a row, and no line is too long', { timeout: 120_000 }, () => {
  const anySize = fc.record({
    columns: fc.integer({ min: 80, max: 250 }),
    rows: fc.integer({ min: 24, max: 60 }),
  });
  const anyState = fc.record({
    view: fc.constantFrom(...VIEW_NAMES),
    isHelp: fc.boolean(),
    scroll: fc.constantFrom(0, 3, Number.MAX_SAFE_INTEGER),
    search: fc.constantFrom('', 'vq', 'nothing like it'),
    vq: fc.option(fc.nat(255), { nil: undefined }),
  });
  const virtqueues = Array.from({ length: 256 }, (_, vq) =>
    virtqueue(vq, { beside: judgement({ total: decided(1, 1, { ambiguous: 1 }) }) }),
  );
  const storms = Array.from({ length: 40 }, (_, at) => storm(40 - at));
  const causes = Array.from({ length: 70 }, (_, pid) => cause({ pid }));
  const problems = ['a problem that takes many words to be told: '.repeat(9), 'b', 'c'];
  fc.assert(
    fc.property(anySize, anyState, fc.boolean(), (size, state, hasBeside) => {
      const view: Partial<DashboardView> = {
        virtqueues,
        storms,
        causes,
        queue: queueDetail(17),
        source: { ...dashboardView().source, problems },
        ...(hasBeside && { beside: 'copy', besideTotal: judgement() }),
      };
      const lines = painted({ view, state, size }).replaceAll(COLOURS, '').split('\n');
      expect(lines.length).toBe(size.rows - 1);
      for (const line of lines) expect(cellWidth(line)).toBeLessThanOrEqual(size.columns);
    }),
    { numRuns: 60 },
  );
});
