/** What stands above every view, and below it. */
import { expect, test } from 'vitest';
import { screen, type Shot } from '../../test/drawn-dashboard.js';
import { dashboardView, decided, judgement, storm } from '../../test/made-up-views.js';
import type { DashboardView } from '../dashboard.js';
import type { ScreenState } from './screen-state.js';
import { VIEW_NAMES } from './view-names.js';

test('empty sources, missing ones and those with problems are said, and nothing breaks', () => {
  const empty: Partial<DashboardView> = {
    virtqueues: [],
    storms: [],
    causes: [],
    total: judgement({ total: decided(0, 0), window: decided(0, 0), reasons: [], areas: [] }),
  };
  const source = {
    name: '/run/x.sock',
    kind: 'socket',
    problems: [],
    isEmpty: true,
    isStuck: false,
  } as const;
  expect(screen({ view: { ...empty, source: { ...source, state: 'waiting' } } })).toContain(
    '! nobody listens there yet',
  );
  expect(screen({ view: { ...empty, source: { ...source, state: 'reading' } } })).toContain(
    '! the socket is empty so far',
  );
  const opened = screen({ view: empty });
  expect(opened).toContain('no virtqueue yet: none was set up');
  const reading = screen({ view: { ...empty, clock: { ...dashboardView().clock, seeking: 0.4 } } });
  expect(reading).toContain('the trace is being read');
  expect(reading).not.toContain('none was set up');
  const gone = screen({
    view: {
      source: { ...source, isEmpty: false, state: 'gone', problems: ['12 events lost', 'b'] },
    },
  });
  expect(gone).toContain('! the recording broke off');
  expect(gone).toContain('! and 2 more: see the recording, 5');
  const long = `/a/name.arrows ${'is what it is and '.repeat(20)}`;
  const wrapped = screen({ view: { source: { ...source, state: 'ended', problems: [long] } } });
  expect(wrapped).toMatch(/\n! \/a\/name\.arrows is .*\n {2}it is and .*…\n/);
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
  const behind = { ...clock, isLive: true, behind: 3.45e9 };
  expect(top({ clock: behind })).toContain('● live  12.345 s, 3.45 s behind');
  expect(top({ clock: { ...behind, behind: 0.9e9 } })).not.toContain('behind');
  expect(top({ clock: { ...clock, isPaused: true } })).toContain('■ paused  12.345 s of 60.000 s');
  expect(top({ clock: { ...clock, speed: 'max' } })).toContain('▸ as fast as it goes');
});

test('where what was kept ends is told at the top, and in the recording view', () => {
  const clock = { ...dashboardView().clock, keptUntil: 20.5e9 };
  const source = { ...dashboardView().source, kind: 'socket', state: 'reading' } as const;
  const shot = { view: { clock, source }, state: { view: 'recording' } } as const;
  expect(screen(shot)).toContain('12.345 s of 60.000 s, kept to 20.500 s');
  const live = { ...shot, view: { source, clock: { ...clock, isLive: true } } };
  expect(screen(live)).toContain('● live  12.345 s, kept to 20.500 s');
  const text = screen({ ...shot, size: { columns: 80, rows: 50 } }).replaceAll(/\s+/g, ' ');
  expect(text).toContain('--keep is used up: one can go to any moment up to 20.500 s;');
  expect(screen({ state: { view: 'recording' } })).not.toMatch(/kept to \d|used up/);
});

test('what was chosen and is on its way stands behind what is shown', () => {
  const second = (wanted: DashboardView['wanted']): string =>
    screen({ view: { wanted }, size: { columns: 120, rows: 24 } }).split('\n')[2] ?? '';
  const chosen = { design: 'merged', beside: undefined, window: 10e9 };
  expect(second(chosen)).toMatch(/^design merged {2}now is the last 10\.0 s {3}/);
  expect(second({ ...chosen, design: 'copy' })).toContain('last 10.0 s  next copy  ');
  expect(second({ design: 'copy', beside: 'fixes-v5', window: 30e9 })).toContain(
    'last 10.0 s  next copy, beside fixes-v5, 30.0 s  ',
  );
});

test('the last line: what is typed, what became of it, what can be pressed', () => {
  const last = (shot: Shot): string => screen(shot).trimEnd().split('\n').at(-1) ?? '';
  const prompt = { kind: 'jump', text: '12x' } as const;
  expect(last({ state: { prompt } })).toBe('go to: 12x');
  // What is wrong and what to do is told in full, on as many lines as that takes.
  const error = `go to takes a moment of the trace, not "12x": a moment is ${'12.5s or '.repeat(12)}storm:2`;
  const typed = screen({ state: { prompt: { ...prompt, error } } })
    .trimEnd()
    .split('\n');
  expect(typed).toHaveLength(24);
  expect(typed.slice(-4, -1).join(' ')).toBe(error);
  expect(typed.at(-1)).toBe('go to: 12x');
  // Of what is longer than the line, the end.
  expect(
    last({ state: { prompt: { kind: 'save', text: `/a/${'b'.repeat(90)}/c.arrows` } } }),
  ).toMatch(/^write to: …b+\/c\.arrows$/);
  const long = { number: 1, text: `why it is so: ${'words '.repeat(60)}`, isError: true };
  const told = screen({ view: { answer: long } })
    .trimEnd()
    .split('\n');
  expect(told).toHaveLength(24);
  expect(told.at(-4)).toMatch(/^why it is so/);
  expect(told.at(-1)).toMatch(/words w…$/);
  const answer = { number: 1, text: 'saved as a.arrows', isError: false };
  expect(last({ view: { answer } })).toBe('saved as a.arrows');
  expect(last({ view: { answer }, state: { answerSeen: 1 } })).toContain('? help');
  const saving = { path: '/tmp/a.arrows', progress: 0.559 };
  expect(last({ view: { saving } })).toBe('writing 55 %  /tmp/a.arrows');
  expect(last({ view: { saving }, state: { isLeaving: true } })).toBe(
    'writing 55 %  leaves when it is whole; Ctrl-C gives it up  /tmp/a.arrows',
  );
});

test('the keys at the bottom are those that do something', () => {
  const last = (state: Partial<ScreenState>): string =>
    screen({ state }).trimEnd().split('\n').at(-1) ?? '';
  expect(last({})).not.toContain('Esc');
  expect(last({ hasBack: true })).toMatch(/\? help {2}Esc hosts {2}q quit$/);
  // From another view Esc goes to the overview first; a search is ended before that.
  expect(last({ hasBack: true, view: 'storms' })).not.toContain('Esc');
  expect(last({ hasBack: true, search: 'vq' })).toContain('Esc all names');
  expect(last({ picker: { of: 'design', index: 0 } })).toBe(
    'Up and Down choose, Enter takes it, Esc leaves things as they are',
  );
});
