/** The dashboard under Ink. */
import { render } from 'ink';
import type { DashboardView } from '../dashboard.js';
import { Dashboard } from './Dashboard.js';
import type { Look } from './look.js';
import type { ScreenState } from './screen-state.js';

/** What is to be seen. */
export interface Shown {
  readonly view: DashboardView;
  readonly state: ScreenState;
}

export interface MountedDashboard {
  draw(shown: Shown): void;
  unmount(): void;
}

export interface MountOptions {
  readonly stdout: NodeJS.WriteStream;
  readonly keyboard: NodeJS.ReadStream | undefined;
  readonly look: Look;
  readonly onKeys: (keys: readonly string[]) => void;
  readonly onError: (error: unknown) => void;
}

export function mountDashboard(first: Shown, options: MountOptions): MountedDashboard {
  const { stdout, keyboard, look, onKeys, onError } = options;
  const size = { columns: stdout.columns, rows: stdout.rows };
  const element = ({ view, state }: Shown): React.ReactElement => (
    <Dashboard
      view={view}
      state={state}
      size={size}
      look={look}
      onKeys={keyboard === undefined ? undefined : onKeys}
    />
  );
  const instance = render(element(first), {
    stdout,
    ...(keyboard !== undefined && { stdin: keyboard }),
    // Ctrl-C is a key like others, and nothing prints to the console.
    exitOnCtrlC: false,
    patchConsole: false,
    // Who calls draw() keeps to ten frames a second: a second brake would only delay them.
    maxFps: 1000,
    // Lines that stay as they are are not written again.
    incrementalRendering: true,
  });
  instance.waitUntilExit().catch(onError);
  return {
    draw: (shown) => instance.rerender(element(shown)),
    unmount: () => instance.unmount(),
  };
}
