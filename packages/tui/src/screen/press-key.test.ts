import { expect, test } from 'vitest';
import { dashboardView, decided, judgement, storm, virtqueue } from '../../test/made-up-views.js';
import type { Command, DashboardView } from '../dashboard.js';
import { KEY_TABLE } from './key-table.js';
import { pressKey, type Pressed } from './press-key.js';
import { FIRST_STATE, type ScreenState } from './screen-state.js';
import { VIEW_NAMES } from './view-names.js';

const VIEW = dashboardView({
  virtqueues: [0, 1, 2].map((vq) =>
    virtqueue(vq, { chosen: judgement({ window: decided(100, 10 * vq) }) }),
  ),
});

/** Presses keys one after another. */
function press(
  keys: readonly string[],
  { view = VIEW, from = {} }: { view?: DashboardView; from?: Partial<ScreenState> } = {},
): Pressed {
  let state: ScreenState = { ...FIRST_STATE, ...from };
  const commands: Command[] = [];
  for (const key of keys) {
    const pressed = pressKey(state, key, {
      view,
      page: 10,
      lastScroll: () => 4,
      readJump: (text) => (text === '12s' ? { do: 'seek', at: 12e9 } : `no moment: ${text}`),
    });
    commands.push(...pressed.commands);
    if (pressed.leave !== undefined) return { ...pressed, commands };
    ({ state } = pressed);
  }
  return { state, commands };
}

test('no key has two meanings, and every one does something somewhere', () => {
  const keys = KEY_TABLE.flatMap((binding) => binding.keys);
  expect(new Set(keys).size).toBe(keys.length);
  for (const { keys: some, in: views = VIEW_NAMES } of KEY_TABLE)
    for (const key of some) {
      const effects = views.flatMap((name) =>
        (['', 'x'] as const).map((search) => {
          // In the middle of things, so that both directions lead somewhere.
          const from = { ...FIRST_STATE, view: name, vq: 1, storm: 2, scroll: 5, search };
          const view = { ...VIEW, storms: [3, 2, 1].map((number) => storm(number)) };
          const after = press([key], { view, from });
          return (
            after.leave !== undefined ||
            after.commands.length > 0 ||
            JSON.stringify(after.state) !== JSON.stringify(from)
          );
        }),
      );
      expect([key, effects.includes(true)]).toEqual([key, true]);
    }
});

test('keys of time are commands', () => {
  const commands = (...keys: string[]): readonly Command[] => press(keys).commands;
  expect(commands('space')).toEqual([{ do: 'pause' }]);
  expect(
    press(['space'], { view: dashboardView({ clock: { ...VIEW.clock, isPaused: true } }) })
      .commands,
  ).toEqual([{ do: 'play' }]);
  expect(commands('l')).toEqual([{ do: 'live' }]);
  expect(commands('+', '-')).toEqual([
    { do: 'speed', speed: 2 },
    { do: 'speed', speed: 0.5 },
  ]);
  const kinds = { e: 'event', r: 'round', i: 'invalidation', s: 'storm' };
  for (const [key, kind] of Object.entries(kinds))
    expect(commands(key, key.toUpperCase())).toEqual([
      { do: 'step', kind, by: 1 },
      { do: 'step', kind, by: -1 },
    ]);
  expect(commands('0', '$')).toEqual([
    { do: 'seek', at: 0 },
    { do: 'seek', at: 60e9 + 1 },
  ]);
  expect(commands('>', '<')).toEqual([
    { do: 'window', ns: 30e9 },
    { do: 'window', ns: 5e9 },
  ]);
});

test('at the ends of the ladders speed and window stay', () => {
  const at = (speed: number | 'max'): DashboardView =>
    dashboardView({ clock: { ...VIEW.clock, speed } });
  expect(press(['+'], { view: at(1000) }).commands).toEqual([{ do: 'speed', speed: 'max' }]);
  expect(press(['+'], { view: at('max') }).commands).toEqual([{ do: 'speed', speed: 'max' }]);
  expect(press(['-'], { view: at('max') }).commands).toEqual([{ do: 'speed', speed: 1000 }]);
  expect(press(['-'], { view: at(0.1) }).commands).toEqual([{ do: 'speed', speed: 0.1 }]);
});

test('the list: worst first, the chosen row stays with its virtqueue', () => {
  // 2 misses most, then 1, then 0.
  expect(press(['down']).state.vq).toBe(1);
  expect(press(['down', 'down', 'down', 'down']).state.vq).toBe(0);
  expect(press(['end']).state.vq).toBe(0);
  expect(press(['end', 'pageup']).state.vq).toBe(2);
  expect(press(['down', 'O', 'down']).state.vq).toBe(2);
  expect(press(['down'], { view: dashboardView({ virtqueues: [] }) }).state.vq).toBeUndefined();
});

test('virtqueues and causes have an order each', () => {
  expect(press(['o', 'O']).state).toMatchObject({ sort: 'number', isReversed: true });
  expect(press(['4', 'o', 'O']).state).toMatchObject({
    sort: 'worst',
    isReversed: false,
    causeSort: 'ranges',
    areCausesReversed: true,
  });
  expect(press(['4', 'f']).state.filter).toBe('all');
});

test('Enter looks at the chosen virtqueue, and the session stops telling of it behind', () => {
  const { state, commands } = press(['down', 'enter']);
  expect(state).toMatchObject({ view: 'queue', vq: 1 });
  expect(commands).toEqual([{ do: 'look at', vq: 1 }]);
  expect(press(['3', '4']).commands).toEqual([
    { do: 'look at', vq: 2 },
    { do: 'look at', vq: undefined },
  ]);
});

test('Enter goes to the moment of the chosen storm', () => {
  expect(press(['2', 'down', 'enter']).commands).toEqual([{ do: 'seek storm', number: 1 }]);
  expect(press(['2', 'enter'], { view: dashboardView({ storms: [] }) }).commands).toEqual([]);
});

test('a search is typed, shown as it is typed, and ended', () => {
  expect(press(['/', 'v', 'q', 'space', '2']).state).toMatchObject({
    search: 'vq 2',
    prompt: { kind: 'search', text: 'vq 2' },
  });
  expect(press(['/', 'v', 'q', 'enter']).state).toMatchObject({ search: 'vq', prompt: undefined });
  expect(press(['/', 'q', 'backspace', 'backspace']).state).toMatchObject({ search: '' });
  expect(press(['/', 'q', 'escape']).state).toMatchObject({ search: '', prompt: undefined });
  expect(press(['/', 'q', 'enter', 'escape']).state).toMatchObject({
    search: '',
    view: 'overview',
  });
  // A q in a prompt is a letter, Ctrl-C is not.
  expect(press(['/', 'q']).leave).toBeUndefined();
  expect(press(['/', 'ctrl+c']).leave).toBe('interrupt');
});

test('a time is typed; what is none is said, and can be mended', () => {
  expect(press(['t', '1', '2', 's', 'enter'])).toMatchObject({
    state: { prompt: undefined },
    commands: [{ do: 'seek', at: 12e9 }],
  });
  const wrong = press(['t', '1', '2', 'x', 'enter']);
  expect(wrong).toMatchObject({
    state: { prompt: { kind: 'jump', text: '12x', error: 'no moment: 12x' } },
    commands: [],
  });
  expect(press(['backspace', 's', 'enter'], { from: wrong.state }).commands).toEqual([
    { do: 'seek', at: 12e9 },
  ]);
  expect(press(['t', 'enter']).commands).toEqual([]);
});

test('a name to save under is typed', () => {
  expect(press(['w', '/', 't', 'm', 'p', '/', 'a', 'enter']).commands).toEqual([
    { do: 'save', path: '/tmp/a' },
  ]);
});

test('designs: the next one, or one of a list', () => {
  expect(press([']']).commands).toEqual([{ do: 'design', name: 'fixes-v5' }]);
  expect(press(['[']).commands).toEqual([{ do: 'design', name: 'vmap-v1' }]);
  expect(press(['['], { view: dashboardView({ design: 'vmap-v1' }) }).commands).toEqual([
    { do: 'design', name: 'copy' },
  ]);
  expect(press(['d', 'down', 'enter']).commands).toEqual([{ do: 'design', name: 'fixes-v5' }]);
  expect(press(['b', 'down', 'enter']).commands).toEqual([{ do: 'beside', name: 'vmap-v1' }]);
  expect(
    press(['b', 'home', 'enter'], { view: dashboardView({ beside: 'copy' }) }).commands,
  ).toEqual([{ do: 'beside', name: undefined }]);
  expect(press(['d', 'escape'])).toMatchObject({ state: { picker: undefined }, commands: [] });
  // As in every list.
  const picked = (...keys: string[]): number | undefined =>
    press(['d', ...keys]).state.picker?.index;
  for (const key of ['G', 'end', 'pagedown']) expect(picked(key)).toBe(3);
  for (const key of ['g', 'home', 'pageup']) expect(picked('G', key)).toBe(0);
});

test('behind the help nothing is pressed', () => {
  expect(press(['?', 'space'])).toMatchObject({ state: { isHelp: false }, commands: [] });
  expect(press(['?', 'down', 'down', 'up']).state).toMatchObject({ isHelp: true, helpScroll: 1 });
  expect(press(['?', 'down', 'x', '?']).state).toMatchObject({ isHelp: true, helpScroll: 0 });
  expect(press(['?', 'q']).leave).toBe('quit');
});

test('what a command came to is told until the next key', () => {
  const view = dashboardView({ answer: { number: 3, text: 'saved', isError: false } });
  expect(press(['down'], { view }).state.answerSeen).toBe(3);
});

test('views scroll no further than to their beginning', () => {
  expect(press(['5', 'up']).state.scroll).toBe(0);
  expect(press(['5', 'down', 'down', 'up']).state.scroll).toBe(1);
  expect(press(['5', 'down', '1', '5']).state.scroll).toBe(0);
  // And no further than to their end, so that the way back begins there.
  expect(press(['5', 'pagedown', 'pagedown', 'up']).state.scroll).toBe(3);
  expect(press(['5', 'end', 'up']).state.scroll).toBe(3);
  expect(press(['up'], { from: { view: 'recording', scroll: 100 } }).state.scroll).toBe(3);
  expect(press(['?', 'pagedown', 'up']).state.helpScroll).toBe(3);
  expect(press(['?', 'G', 'up']).state.helpScroll).toBe(3);
  expect(press(['?', 'G', 'g']).state).toMatchObject({ isHelp: true, helpScroll: 0 });
});

test('keys go on from what was chosen last, while its numbers are on their way', () => {
  const view = dashboardView({ wanted: { design: 'fixes-v5', beside: 'vmap-v1', window: 30e9 } });
  expect(press([']'], { view }).commands).toEqual([{ do: 'design', name: 'copy' }]);
  expect(press(['>'], { view }).commands).toEqual([{ do: 'window', ns: 60e9 }]);
  expect(press(['d', 'enter'], { view }).commands).toEqual([{ do: 'design', name: 'fixes-v5' }]);
  expect(press(['b', 'enter'], { view }).commands).toEqual([{ do: 'beside', name: 'vmap-v1' }]);
});

test('q waits for what is being saved; another key stays, and Ctrl-C does not wait', () => {
  const view = dashboardView({
    saving: { path: '/tmp/a', progress: 0.5 },
    answer: { number: 3, text: 'one file at a time', isError: true },
  });
  const leaving = press(['q'], { view });
  // What it waits for takes the place of what was told before.
  expect(leaving).toMatchObject({ state: { isLeaving: true, answerSeen: 3 }, commands: [] });
  expect(leaving.leave).toBeUndefined();
  expect(press(['q'], { view, from: leaving.state }).state.isLeaving).toBe(true);
  expect(press(['down'], { view, from: leaving.state }).state.isLeaving).toBe(false);
  expect(press(['d', 'q'], { view }).state.isLeaving).toBe(true);
  expect(press(['ctrl+c'], { view, from: leaving.state }).leave).toBe('interrupt');
});

test('Esc goes back to the hosts where the run was opened from there, and nothing else is to be closed', () => {
  expect(press(['escape'])).toMatchObject({ state: { view: 'overview' }, commands: [] });
  expect(press(['escape']).leave).toBeUndefined();
  const from = { hasBack: true };
  expect(press(['escape'], { from }).leave).toBe('back');
  const inSearch = press(['escape'], { from: { ...from, search: 'x' } });
  expect([inSearch.leave, inSearch.state.search]).toEqual([undefined, '']);
  const inStorms = press(['escape'], { from: { ...from, view: 'storms' } });
  expect([inStorms.leave, inStorms.state.view]).toEqual([undefined, 'overview']);
  // A file that is being written would be given up.
  const saving = dashboardView({ saving: { path: 'x', progress: 0.5 } });
  expect(press(['escape'], { from, view: saving }).leave).toBeUndefined();
});
