/**
 * A screen under Ink: Ink lays out the rows, reads the keys and draws into memory, a sign for each row;
 * frames go to the terminal from there.
 */
import { EventEmitter } from 'node:events';
import { render } from 'ink';
import type { ReactElement } from 'react';
import { RowSigns } from './rows.js';
import type { FrameWriter } from './frame-writer.js';
import { createRowTokens } from './row-tokens.js';

export interface MountedScreen {
  draw(shown: ReactElement): void;
  unmount(): void;
}

export interface MountOptions {
  readonly frames: FrameWriter;
  readonly keyboard: NodeJS.ReadStream | undefined;
  readonly onError: (error: unknown) => void;
}

export function mountScreen(
  first: ReactElement,
  { frames, keyboard, onError }: MountOptions,
): MountedScreen {
  let isMounted = true;
  let tokens = createRowTokens();
  const stdout = inMemoryTerminal((frame) => {
    // As it ends Ink writes more than frames.
    if (isMounted) frames.show(frame.split('\n').map((sign) => tokens.rowOf(sign)));
  });
  const element = (shown: ReactElement): ReactElement => {
    if (tokens.isFull()) tokens = createRowTokens();
    return <RowSigns value={tokens.tokenOf}>{shown}</RowSigns>;
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
