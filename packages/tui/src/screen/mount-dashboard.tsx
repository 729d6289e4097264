/**
 * The dashboard under Ink: Ink lays out the rows, reads the keys and draws into memory, a sign for each row;
 * frames go to the terminal from there.
 */
import { EventEmitter } from 'node:events';
import { render } from 'ink';
import type { ReactElement } from 'react';
import type { DashboardView } from '../dashboard.js';
import { Dashboard, RowSigns } from './Dashboard.js';
import type { FrameWriter } from './frame-writer.js';
import type { Look } from './look.js';
import { createRowTokens } from './row-tokens.js';
import type { ScreenSize } from './screen-size.js';
import type { ScreenState } from './screen-state.js';

/** What is to be seen. */
export interface Shown {
  readonly view: DashboardView;
  readonly state: ScreenState;
  readonly size: ScreenSize;
}

export interface MountedDashboard {
  draw(shown: Shown): void;
  unmount(): void;
}

export interface MountOptions {
  readonly frames: FrameWriter;
  readonly keyboard: NodeJS.ReadStream | undefined;
  readonly look: Look;
  readonly onKeys: (keys: readonly string[]) => void;
  readonly onError: (error: unknown) => void;
}

export function mountDashboard(
  first: Shown,
  { frames, keyboard, look, onKeys, onError }: MountOptions,
): MountedDashboard {
  let isMounted = true;
  let tokens = createRowTokens();
  const stdout = inMemoryTerminal((frame) => {
    // As it ends Ink writes more than frames.
    if (isMounted) frames.show(frame.split('\n').map((sign) => tokens.rowOf(sign)));
  });
  const element = (shown: Shown): ReactElement => {
    if (tokens.isFull()) tokens = createRowTokens();
    return (
      <RowSigns value={tokens.tokenOf}>
        <Dashboard {...shown} look={look} onKeys={keyboard === undefined ? undefined : onKeys} />
      </RowSigns>
    );
  };
  const instance = render(element(first), {
    stdout,
    ...(keyboard !== undefined && { stdin: keyboard }),
    // Whole frames, one at each draw, and nothing else.
    debug: true,
    // Ctrl-C is a key like others, and nothing prints to the console.
    exitOnCtrlC: false,
    patchConsole: false,
  });
  instance.waitUntilExit().catch(onError);
  return {
    draw: (shown) => instance.rerender(element(shown)),
    unmount: () => {
      isMounted = false;
      instance.unmount();
    },
  };
}

/** As much of a terminal as Ink uses. A row is one character wide: the sign for it. */
function inMemoryTerminal(show: (frame: string) => void): NodeJS.WriteStream {
  const stdout = Object.assign(new EventEmitter(), {
    columns: 1,
    write: (frame: string): boolean => {
      show(frame);
      return true;
    },
  });
  return stdout as unknown as NodeJS.WriteStream;
}
