/** The keys of the list of hosts: one table, from which they are read and its help is drawn. */
import type { KeyWords } from './key-table.js';

export type HostAction =
  | 'up'
  | 'down'
  | 'page up'
  | 'page down'
  | 'first'
  | 'last'
  | 'open'
  | 'help'
  | 'close'
  | 'quit'
  | 'interrupt'
  | 'suspend';

export interface HostKey extends KeyWords {
  readonly action: HostAction;
  readonly group: 'hosts' | 'program';
}

export const HOST_KEYS: readonly HostKey[] = [
  {
    keys: ['enter'],
    action: 'open',
    group: 'hosts',
    help: 'open the run of the host: the dashboard of it alone',
    hint: 'open',
  },
  { keys: ['up', 'k'], action: 'up', group: 'hosts', help: 'row up or down' },
  { keys: ['down', 'j'], action: 'down', group: 'hosts', help: 'row up or down' },
  { keys: ['pageup'], action: 'page up', group: 'hosts', help: 'page up or down' },
  { keys: ['pagedown'], action: 'page down', group: 'hosts', help: 'page up or down' },
  { keys: ['home', 'g'], action: 'first', group: 'hosts', help: 'first or last row' },
  { keys: ['end', 'G'], action: 'last', group: 'hosts', help: 'first or last row' },

  { keys: ['?', 'h'], action: 'help', group: 'program', help: 'this help', hint: 'help' },
  {
    keys: ['escape'],
    action: 'close',
    group: 'program',
    help: 'close this; from a run that was opened, back to here',
  },
  { keys: ['q'], action: 'quit', group: 'program', help: 'leave', hint: 'quit' },
  { keys: ['ctrl+c'], action: 'interrupt', group: 'program', help: 'leave' },
  { keys: ['ctrl+z'], action: 'suspend', group: 'program', help: 'to the shell; fg comes back' },
];

const BY_KEY = new Map(
  HOST_KEYS.flatMap(({ keys, action }) => keys.map((key) => [key, action] as const)),
);

/** What a key does in the list; undefined where it does nothing. */
export function hostActionOf(key: string): HostAction | undefined {
  return BY_KEY.get(key);
}
