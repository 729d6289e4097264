/** A key → what the screen shows next, and what the session is told. Pure. */
import type { Command, DashboardView, StepKind } from '../dashboard.js';
import { chosenIndex, searchedStorms, shownVirtqueues } from './chosen-rows.js';
import { actionOf, type Action } from './key-table.js';
import { pickDesign, pickerOf } from './pick-design.js';
import { typeInPrompt, type ReadJump } from './prompts.js';
import { CAUSE_SORT_KEYS, FILTER_KEYS, SORT_KEYS, type ScreenState } from './screen-state.js';
import { nextStep, SPEEDS, WINDOWS } from './speeds.js';
import type { Leave } from './stage.js';
import { VIEW_NAMES, type ViewName } from './view-names.js';

export interface Pressed {
  readonly state: ScreenState;
  readonly commands: readonly Command[];
  /** What becomes of the program. */
  readonly leave?: Leave;
}

export interface Surroundings {
  readonly view: DashboardView;
  /** Rows of a page. */
  readonly page: number;
  /** By how many lines a view that only scrolls can be scrolled. */
  readonly lastScroll: (state: ScreenState) => number;
  readonly readJump: ReadJump;
}

/** @param key a name as in the table of keys */
export function pressKey(state: ScreenState, key: string, around: Surroundings): Pressed {
  const pressed = takeKey(state, key, around);
  const isLeft = pressed.leave === 'quit' || pressed.leave === 'back';
  if (!isLeft || around.view.saving === undefined) return pressed;
  // Not before the file is whole; any other key stays.
  return still({ ...pressed.state, isLeaving: pressed.leave === 'quit' });
}

function takeKey(state: ScreenState, key: string, around: Surroundings): Pressed {
  const answerSeen = around.view.answer?.number ?? state.answerSeen;
  const seen = { ...state, answerSeen, isLeaving: false };
  if (key === 'ctrl+c') return { state, commands: [], leave: 'interrupt' };
  if (key === 'ctrl+z') return { state, commands: [], leave: 'suspend' };
  if (seen.prompt !== undefined) return typeInPrompt(seen, seen.prompt, key, around);
  if (seen.picker !== undefined) return pickDesign(seen, seen.picker, key, around);
  const action = actionOf(key, seen.view);
  if (seen.isHelp && action !== 'quit') return still(behindHelp(seen, action, around));
  return action === undefined ? still(seen) : act(seen, action, around);
}

/** Behind the help nothing moves unseen: what does not scroll it closes it, and does nothing else. */
function behindHelp(
  state: ScreenState,
  action: Action | undefined,
  { page, lastScroll }: Surroundings,
): ScreenState {
  const by = {
    up: -1,
    down: 1,
    'page up': -page,
    'page down': page,
    first: Number.NEGATIVE_INFINITY,
    last: Number.POSITIVE_INFINITY,
  };
  if (action === undefined || !(action in by)) return { ...state, isHelp: false, helpScroll: 0 };
  return {
    ...state,
    helpScroll: scrolledBy(state.helpScroll, by[action as keyof typeof by], lastScroll(state)),
  };
}

/** What was scrolled to may not be there any more: the screen has grown, or there is less to see. */
function scrolledBy(scroll: number, by: number, last: number): number {
  return Math.max(0, Math.min(last, Math.min(last, scroll) + by));
}

function act(state: ScreenState, action: Action, around: Surroundings): Pressed {
  const { view, page } = around;
  switch (action) {
    case 'help':
      return still({ ...state, isHelp: true });
    case 'quit':
      return { state, commands: [], leave: 'quit' };
    case 'suspend':
      return { state, commands: [], leave: 'suspend' };
    case 'close':
      if (state.search !== '') return still({ ...state, search: '' });
      if (state.hasBack && state.view === 'overview') return { state, commands: [], leave: 'back' };
      return show(state, 'overview', view);
    case 'next view':
      return show(state, turned(state.view, 1), view);
    case 'previous view':
      return show(state, turned(state.view, -1), view);
    case 'view 1':
    case 'view 2':
    case 'view 3':
    case 'view 4':
    case 'view 5':
      return show(state, VIEW_NAMES[Number(action.slice(-1)) - 1] ?? 'overview', view);
    case 'up':
      return move(state, -1, around);
    case 'down':
      return move(state, 1, around);
    case 'page up':
      return move(state, -page, around);
    case 'page down':
      return move(state, page, around);
    case 'first':
      return move(state, Number.NEGATIVE_INFINITY, around);
    case 'last':
      return move(state, Number.POSITIVE_INFINITY, around);
    case 'open':
      return open(state, view);
    case 'sort':
      return still(
        state.view === 'causes'
          ? { ...state, causeSort: following(CAUSE_SORT_KEYS, state.causeSort) }
          : { ...state, sort: following(SORT_KEYS, state.sort) },
      );
    case 'reverse':
      return still(
        state.view === 'causes'
          ? { ...state, areCausesReversed: !state.areCausesReversed }
          : { ...state, isReversed: !state.isReversed },
      );
    case 'filter':
      return still({ ...state, filter: following(FILTER_KEYS, state.filter) });
    case 'search':
      return still({ ...state, prompt: { kind: 'search', text: state.search } });
    case 'jump':
      return still({ ...state, prompt: { kind: 'jump', text: '' } });
    case 'save':
      return still({ ...state, prompt: { kind: 'save', text: '' } });
    case 'choose design':
      return still({ ...state, picker: pickerOf('design', view) });
    case 'choose beside':
      return still({ ...state, picker: pickerOf('beside', view) });
    case 'next design':
      return { state, commands: neighbourDesign(view, 1) };
    case 'previous design':
      return { state, commands: neighbourDesign(view, -1) };
    case 'pause or play':
    case 'live':
    case 'slower':
    case 'faster':
    case 'begin':
    case 'end':
    case 'window wider':
    case 'window narrower':
      return { state, commands: [timeCommand(action, view)] };
    case 'event on':
    case 'event back':
    case 'round on':
    case 'round back':
    case 'invalidation on':
    case 'invalidation back':
    case 'storm on':
    case 'storm back': {
      const [kind, by] = STEPS[action];
      return { state, commands: [{ do: 'step', kind, by }] };
    }
  }
}

/** What only the session obeys. */
function timeCommand(action: TimeAction, { clock, wanted: { window } }: DashboardView): Command {
  switch (action) {
    case 'pause or play':
      return { do: clock.isPaused ? 'play' : 'pause' };
    case 'live':
      return { do: 'live' };
    case 'slower':
      return { do: 'speed', speed: nextStep(SPEEDS, clock.speed, -1) };
    case 'faster':
      return { do: 'speed', speed: nextStep(SPEEDS, clock.speed, 1) };
    case 'begin':
      return { do: 'seek', at: 0 };
    case 'end':
      // The last event is in the numbers, too.
      return { do: 'seek', at: clock.end + 1 };
    case 'window wider':
      return { do: 'window', ns: nextStep(WINDOWS, window, 1) };
    case 'window narrower':
      return { do: 'window', ns: nextStep(WINDOWS, window, -1) };
  }
}

type TimeAction =
  | 'pause or play'
  | 'live'
  | 'slower'
  | 'faster'
  | 'begin'
  | 'end'
  | 'window wider'
  | 'window narrower';

const STEPS = {
  'event on': ['event', 1],
  'event back': ['event', -1],
  'round on': ['round', 1],
  'round back': ['round', -1],
  'invalidation on': ['invalidation', 1],
  'invalidation back': ['invalidation', -1],
  'storm on': ['storm', 1],
  'storm back': ['storm', -1],
} as const satisfies Partial<Record<Action, readonly [StepKind, 1 | -1]>>;

/** Another view; the queue view needs a virtqueue that the session tells of. */
function show(state: ScreenState, name: ViewName, view: DashboardView): Pressed {
  const next = { ...state, view: name, scroll: 0 };
  if (name !== 'queue')
    return {
      state: next,
      commands: state.view === 'queue' ? [{ do: 'look at', vq: undefined }] : [],
    };
  const rows = shownVirtqueues(view.virtqueues, state);
  const vq = rows[chosenIndex(rows, (one) => one.vq === state.vq)]?.vq;
  return { state: { ...next, vq }, commands: [{ do: 'look at', vq }] };
}

function move(state: ScreenState, by: number, { view, lastScroll }: Surroundings): Pressed {
  if (state.view === 'overview') {
    const rows = shownVirtqueues(view.virtqueues, state);
    const row = moved(rows, (one) => one.vq === state.vq, by);
    return still({ ...state, vq: row?.vq });
  }
  if (state.view === 'storms') {
    const rows = searchedStorms(view.storms, state.search);
    const row = moved(rows, (one) => one.number === state.storm, by);
    return still({ ...state, storm: row?.number });
  }
  return still({ ...state, scroll: scrolledBy(state.scroll, by, lastScroll(state)) });
}

function moved<Row>(
  rows: readonly Row[],
  isChosen: (row: Row) => boolean,
  by: number,
): Row | undefined {
  return rows[Math.max(0, Math.min(rows.length - 1, chosenIndex(rows, isChosen) + by))];
}

function open(state: ScreenState, view: DashboardView): Pressed {
  if (state.view === 'overview') return show(state, 'queue', view);
  const rows = searchedStorms(view.storms, state.search);
  const storm = rows[chosenIndex(rows, (one) => one.number === state.storm)];
  return storm === undefined
    ? still(state)
    : {
        state: { ...state, storm: storm.number },
        commands: [{ do: 'seek storm', number: storm.number }],
      };
}

function neighbourDesign({ designs, wanted }: DashboardView, by: 1 | -1): Command[] {
  const at = designs.indexOf(wanted.design);
  const name = designs[(at + by + designs.length) % designs.length];
  return name === undefined ? [] : [{ do: 'design', name }];
}

function turned(view: ViewName, by: 1 | -1): ViewName {
  const at = VIEW_NAMES.indexOf(view) + by + VIEW_NAMES.length;
  return VIEW_NAMES[at % VIEW_NAMES.length] ?? view;
}

function following<T>(all: readonly T[], now: T): T {
  return all[(all.indexOf(now) + 1) % all.length] ?? now;
}

function still(state: ScreenState): Pressed {
  return { state, commands: [] };
}
