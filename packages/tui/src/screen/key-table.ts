/** The keys: one table, from which they are read and the help is drawn. */
import type { ViewName } from './view-names.js';

export type Action =
  | 'help'
  | 'quit'
  | 'suspend'
  | 'close'
  | 'next view'
  | 'previous view'
  | 'view 1'
  | 'view 2'
  | 'view 3'
  | 'view 4'
  | 'view 5'
  | 'up'
  | 'down'
  | 'page up'
  | 'page down'
  | 'first'
  | 'last'
  | 'open'
  | 'sort'
  | 'reverse'
  | 'filter'
  | 'search'
  | 'pause or play'
  | 'live'
  | 'slower'
  | 'faster'
  | 'event on'
  | 'event back'
  | 'round on'
  | 'round back'
  | 'invalidation on'
  | 'invalidation back'
  | 'storm on'
  | 'storm back'
  | 'jump'
  | 'begin'
  | 'end'
  | 'choose design'
  | 'choose beside'
  | 'next design'
  | 'previous design'
  | 'window wider'
  | 'window narrower'
  | 'save';

export type KeyGroup = 'views' | 'time' | 'lists' | 'judge' | 'program';

/** Keys, and what people are told of them. */
export interface KeyWords {
  readonly keys: readonly string[];
  /** What they do; several bindings with the same words stand on one line. */
  readonly help: string;
  /** A word for the line at the bottom; those without are only in the help. */
  readonly hint?: string;
}

export interface KeyBinding extends KeyWords {
  readonly action: Action;
  readonly group: KeyGroup;
  /** Where it does something; everywhere by default. */
  readonly in?: readonly ViewName[];
}

const LISTS: readonly ViewName[] = ['overview', 'storms', 'causes'];

export const KEY_TABLE: readonly KeyBinding[] = [
  {
    keys: ['1'],
    action: 'view 1',
    group: 'views',
    help: 'overview, storms, queue, causes, recording',
  },
  {
    keys: ['2'],
    action: 'view 2',
    group: 'views',
    help: 'overview, storms, queue, causes, recording',
  },
  {
    keys: ['3'],
    action: 'view 3',
    group: 'views',
    help: 'overview, storms, queue, causes, recording',
  },
  {
    keys: ['4'],
    action: 'view 4',
    group: 'views',
    help: 'overview, storms, queue, causes, recording',
  },
  {
    keys: ['5'],
    action: 'view 5',
    group: 'views',
    help: 'overview, storms, queue, causes, recording',
  },
  { keys: ['tab', 'right'], action: 'next view', group: 'views', help: 'next view' },
  { keys: ['shift+tab', 'left'], action: 'previous view', group: 'views', help: 'previous view' },

  {
    keys: ['space', 'p'],
    action: 'pause or play',
    group: 'time',
    help: 'pause or play; what has ended plays again',
    hint: 'pause',
  },
  { keys: ['l'], action: 'live', group: 'time', help: 'follow the newest event', hint: 'live' },
  {
    keys: ['-'],
    action: 'slower',
    group: 'time',
    help: 'slower or faster, 0.1x to as fast as it goes',
  },
  {
    keys: ['+', '='],
    action: 'faster',
    group: 'time',
    help: 'slower or faster, 0.1x to as fast as it goes',
  },
  { keys: ['e'], action: 'event on', group: 'time', help: 'event on, back' },
  { keys: ['E'], action: 'event back', group: 'time', help: 'event on, back' },
  { keys: ['r'], action: 'round on', group: 'time', help: 'round on, back' },
  { keys: ['R'], action: 'round back', group: 'time', help: 'round on, back' },
  { keys: ['i'], action: 'invalidation on', group: 'time', help: 'invalidation on, back' },
  { keys: ['I'], action: 'invalidation back', group: 'time', help: 'invalidation on, back' },
  { keys: ['s'], action: 'storm on', group: 'time', help: 'storm on, back' },
  { keys: ['S'], action: 'storm back', group: 'time', help: 'storm on, back' },
  {
    keys: ['t'],
    action: 'jump',
    group: 'time',
    help: 'go to a time: 12.5s, 300ms, -3s from the end; to where storm:2 is a storm',
    hint: 'time',
  },
  { keys: ['0'], action: 'begin', group: 'time', help: 'to the beginning, the end' },
  { keys: ['$'], action: 'end', group: 'time', help: 'to the beginning, the end' },

  {
    keys: ['up', 'k'],
    action: 'up',
    group: 'lists',
    help: 'row up or down; in the queue view, scroll',
  },
  {
    keys: ['down', 'j'],
    action: 'down',
    group: 'lists',
    help: 'row up or down; in the queue view, scroll',
  },
  { keys: ['pageup'], action: 'page up', group: 'lists', help: 'page up or down' },
  { keys: ['pagedown'], action: 'page down', group: 'lists', help: 'page up or down' },
  { keys: ['home', 'g'], action: 'first', group: 'lists', help: 'first or last row' },
  { keys: ['end', 'G'], action: 'last', group: 'lists', help: 'first or last row' },
  {
    keys: ['enter'],
    action: 'open',
    group: 'lists',
    in: ['overview', 'storms'],
    help: 'look at the virtqueue; go to the moment of the storm',
    hint: 'open',
  },
  {
    keys: ['/'],
    action: 'search',
    group: 'lists',
    in: LISTS,
    help: 'search names',
    hint: 'search',
  },
  {
    keys: ['o'],
    action: 'sort',
    group: 'lists',
    in: ['overview', 'causes'],
    help: 'another order of virtqueues, of causes',
    hint: 'order',
  },
  {
    keys: ['O'],
    action: 'reverse',
    group: 'lists',
    in: ['overview', 'causes'],
    help: 'the other way round',
  },
  {
    keys: ['f'],
    action: 'filter',
    group: 'lists',
    in: ['overview'],
    help: 'virtqueues: all, or active, not all hits, invalidated, transmit',
    hint: 'filter',
  },

  {
    keys: ['d'],
    action: 'choose design',
    group: 'judge',
    help: 'choose the design',
    hint: 'design',
  },
  { keys: ['['], action: 'previous design', group: 'judge', help: 'previous or next design' },
  { keys: [']'], action: 'next design', group: 'judge', help: 'previous or next design' },
  {
    keys: ['b'],
    action: 'choose beside',
    group: 'judge',
    help: 'choose a second one, side by side',
    hint: 'beside',
  },
  { keys: ['<'], action: 'window narrower', group: 'judge', help: 'window narrower or wider' },
  { keys: ['>'], action: 'window wider', group: 'judge', help: 'window narrower or wider' },

  { keys: ['w'], action: 'save', group: 'program', help: 'write what was recorded to a new file' },
  { keys: ['?', 'h'], action: 'help', group: 'program', help: 'this help', hint: 'help' },
  {
    keys: ['escape'],
    action: 'close',
    group: 'program',
    help: 'close this, end the search, back to the overview or the hosts',
  },
  { keys: ['q', 'ctrl+c'], action: 'quit', group: 'program', help: 'leave', hint: 'quit' },
  { keys: ['ctrl+z'], action: 'suspend', group: 'program', help: 'to the shell; fg comes back' },
];

const BY_KEY = new Map(
  KEY_TABLE.flatMap((binding) => binding.keys.map((key) => [key, binding] as const)),
);

/** What a key does in a view; undefined where it does nothing. */
export function actionOf(key: string, view: ViewName): Action | undefined {
  const binding = BY_KEY.get(key);
  if (binding === undefined || !isIn(binding, view)) return undefined;
  return binding.action;
}

export function isIn(binding: KeyBinding, view: ViewName): boolean {
  return binding.in === undefined || binding.in.includes(view);
}
