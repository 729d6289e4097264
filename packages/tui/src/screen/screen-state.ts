/** What the screen shows of a view and how: all that keys change and that is not the session's. */
import type { ViewName } from './view-names.js';

export type SortKey = 'worst' | 'number' | 'accesses' | 'invalidations';
export type CauseSortKey = 'fallbacks' | 'ranges' | 'now' | 'process';
export type FilterKey = 'all' | 'active' | 'not all hits' | 'invalidated' | 'transmit';

export const SORT_KEYS: readonly SortKey[] = ['worst', 'number', 'accesses', 'invalidations'];
export const CAUSE_SORT_KEYS: readonly CauseSortKey[] = ['fallbacks', 'ranges', 'now', 'process'];
export const FILTER_KEYS: readonly FilterKey[] = [
  'all',
  'active',
  'not all hits',
  'invalidated',
  'transmit',
];

/** What is typed, and what for. */
export interface Prompt {
  readonly kind: 'search' | 'jump' | 'save';
  readonly text: string;
  /** Why what was typed will not do. */
  readonly error?: string;
}

/** A list to choose a design from. */
export interface Picker {
  readonly of: 'design' | 'beside';
  readonly index: number;
}

export interface ScreenState {
  readonly view: ViewName;
  readonly isHelp: boolean;
  readonly helpScroll: number;
  readonly prompt: Prompt | undefined;
  readonly picker: Picker | undefined;
  readonly sort: SortKey;
  readonly isReversed: boolean;
  /** Of the causes, likewise. */
  readonly causeSort: CauseSortKey;
  readonly areCausesReversed: boolean;
  readonly filter: FilterKey;
  readonly search: string;
  /** The virtqueue that the keys act on; undefined is the first of the list. */
  readonly vq: number | undefined;
  /** Number of the storm likewise. */
  readonly storm: number | undefined;
  /** Rows that a view which only scrolls is scrolled by. */
  readonly scroll: number;
  /** Number of the last answer of the session that was put away. */
  readonly answerSeen: number;
  /** It is left once what is being saved is written. */
  readonly isLeaving: boolean;
  /** It was opened from a list of hosts, and can be left for it. */
  readonly hasBack: boolean;
}

export const FIRST_STATE: ScreenState = {
  view: 'overview',
  isHelp: false,
  helpScroll: 0,
  prompt: undefined,
  picker: undefined,
  sort: 'worst',
  isReversed: false,
  causeSort: 'fallbacks',
  areCausesReversed: false,
  filter: 'all',
  search: '',
  vq: undefined,
  storm: undefined,
  scroll: 0,
  answerSeen: 0,
  isLeaving: false,
  hasBack: false,
};
