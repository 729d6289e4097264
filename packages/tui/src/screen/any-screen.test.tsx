/** What holds of every view, whatever the terminal and whatever it is to show. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ASCII, COLOURS, painted, screen } from '../../test/drawn-dashboard.js';
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
import { VIEW_NAMES } from './view-names.js';

test('without UTF-8 all is ASCII', () => {
  for (const view of VIEW_NAMES)
    expect(
      painted({
        look: ASCII,
        state: { view },
        view: {
          queue: queueDetail(1),
          source: { ...dashboardView().source, name: 'Übung.arrows' },
          virtqueues: [
            virtqueue(1, { chosen: judgement({ total: decided(1, 2, { ambiguous: 3 }) }) }),
          ],
        },
      }),
      // oxlint-disable-next-line no-control-regex -- the escape of bold, faint and reverse
    ).toMatch(/^[\n\u001b\u0020-\u007e]*$/);
});

test('names of the host cannot do anything to the terminal', () => {
  const comm = '\u001b[2J\u001b]0;x\u0007\r\n\u009b1m\u202e';
  const causes: DashboardView['causes'] = [cause({ comm, cause: comm, className: undefined })];
  const view: Partial<DashboardView> = {
    source: {
      name: comm,
      kind: 'file',
      state: 'reading',
      problems: [comm],
      isEmpty: false,
      isStuck: false,
    },
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
    wanted: { design: `${comm}x`, beside: comm, window: 1e9 },
    answer: { number: 1, text: comm, isError: true },
    saving: { path: comm, progress: 0 },
    costReason: comm,
  };
  for (const name of VIEW_NAMES) {
    for (const state of [
      { view: name },
      { view: name, search: comm },
      { view: name, answerSeen: 1 },
      { view: name, picker: { of: 'design', index: 0 } },
      { view: name, prompt: { kind: 'save', text: comm } },
    ] as const) {
      const text = painted({ view, state, size: { columns: 250, rows: 60 } }).replaceAll(
        COLOURS,
        '',
      );
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

test(
  'every view fills the screen but for a row, and no line is too long',
  { timeout: 120_000 },
  () => {
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
  },
);
