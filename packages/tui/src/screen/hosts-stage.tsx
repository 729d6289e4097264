/** Many hosts on a terminal, and the dashboard of the one that was opened, in their place. */
import { EXIT, messageOf } from '@vhostscope/terminal';
import type { ReactElement } from 'react';
import type { Session } from '../dashboard.js';
import type { HostsSession } from '../hosts/hosts-session.js';
import { chosenIndex } from './chosen-rows.js';
import { createDashboardStage } from './dashboard-stage.js';
import { hostActionOf, type HostAction } from './host-keys.js';
import { Hosts } from './Hosts.js';
import type { Look } from './look.js';
import type { ReadJump } from './prompts.js';
import type { ScreenSize } from './screen-size.js';
import type { Leave, Stage } from './stage.js';

export interface HostsStage extends Stage {
  /** Closes the run that is open; what was given up of a file that was being written, in words. */
  close(): Promise<string | undefined>;
}

/** Of the time for a turn, while a run is open; the rows get the rest. */
const SHARE_OF_OPENED = 0.7;

export function createHostsStage(
  hosts: HostsSession,
  { look, readJump }: { readonly look: Look; readonly readJump: ReadJump },
): HostsStage {
  let chosen: string | undefined;
  let refused: string | undefined;
  let isHelp = false;
  let opened: { readonly session: Session; readonly stage: Stage } | undefined;
  const closing = new Set<Promise<void>>();

  function open(): void {
    const rows = hosts.view().hosts;
    const row = rows[chosenIndex(rows, ({ host }) => host === chosen)];
    if (row === undefined) return;
    chosen = row.host;
    try {
      const session = hosts.open(row);
      opened = { session, stage: createDashboardStage(session, { look, readJump, hasBack: true }) };
    } catch (error) {
      refused = messageOf(error);
    }
  }

  function goBack(): void {
    if (opened === undefined) return;
    const closed = opened.session.close().finally(() => closing.delete(closed));
    closing.add(closed);
    opened = undefined;
  }

  function move(by: number): void {
    const rows = hosts.view().hosts;
    const at = chosenIndex(rows, ({ host }) => host === chosen) + by;
    chosen = rows[Math.max(0, Math.min(rows.length - 1, at))]?.host;
  }

  function pressHere(key: string, size: ScreenSize): Leave | undefined {
    refused = undefined;
    const action = hostActionOf(key);
    // Behind the help nothing moves unseen.
    const wasHelp = isHelp;
    isHelp = !wasHelp && action === 'help';
    if (action === undefined) return undefined;
    if (!wasHelp && action === 'open') open();
    const by = movesOf(size)[action];
    // Any other key chooses nothing: the mark stays on the worst host.
    if (!wasHelp && by !== undefined) move(by);
    return LEAVES[action];
  }

  return {
    advance: (now, budget) => {
      if (opened === undefined) return hosts.advance(now, budget);
      const isChanged = opened.stage.advance(now, budget * SHARE_OF_OPENED);
      // They are not seen now, and go on.
      hosts.advance(now, budget * (1 - SHARE_OF_OPENED));
      return isChanged;
    },
    get isBusy() {
      return hosts.isBusy || (opened?.stage.isBusy ?? false);
    },
    get isOver() {
      return opened?.stage.isOver ?? false;
    },
    draw: (size, onKeys): ReactElement =>
      opened?.stage.draw(size, onKeys) ?? (
        <Hosts view={hosts.view()} {...{ chosen, refused, isHelp, size, look, onKeys }} />
      ),
    press: (key, size) => {
      if (opened === undefined) return pressHere(key, size);
      const left = opened.stage.press(key, size);
      if (left !== 'back') return left;
      goBack();
      return undefined;
    },
    farewell: () => opened?.stage.farewell() ?? { text: undefined, exitCode: EXIT.done },
    close: async () => {
      const session = opened?.session;
      goBack();
      await Promise.all(closing);
      return session?.unsaved;
    },
  };
}

/** Head, titles, the chosen host, and keys. */
const ROWS_OF_ALL_ELSE = 12;

/** By how many rows a key moves. */
function movesOf({ rows }: ScreenSize): Readonly<Partial<Record<HostAction, number>>> {
  const page = Math.max(1, rows - ROWS_OF_ALL_ELSE);
  return {
    up: -1,
    down: 1,
    'page up': -page,
    'page down': page,
    first: Number.NEGATIVE_INFINITY,
    last: Number.POSITIVE_INFINITY,
  };
}

const LEAVES: Readonly<Partial<Record<HostAction, Leave>>> = {
  quit: 'quit',
  interrupt: 'interrupt',
  suspend: 'suspend',
};
