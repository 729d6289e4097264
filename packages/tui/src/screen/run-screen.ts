/**
 * Drives a session on a terminal: keys to commands, the session's numbers to frames. However it ends, the
 * terminal is as it was.
 */
import type { ReadStream } from 'node:tty';
import { EXIT, say } from '@vhostscope/terminal';
import { isBusy } from '../busy-session.js';
import type { DashboardView, Session } from '../dashboard.js';
import { createAlternateScreen } from './alternate-screen.js';
import { farewellOf } from './farewell.js';
import { createFramePace, type FramePace } from './frame-pace.js';
import { footLines } from './foot-line.js';
import { frameBetween } from './frame.js';
import { createFrameWriter } from './frame-writer.js';
import { hasTerminal } from './foreground.js';
import { headLines } from './head-lines.js';
import { openKeyboard } from './keyboard.js';
import { lookOf } from './look.js';
import { mountDashboard, type MountedDashboard, type Shown } from './mount-dashboard.js';
import { pressKey } from './press-key.js';
import type { ReadJump } from './prompts.js';
import type { ScreenSize } from './screen-size.js';
import { FIRST_STATE, type ScreenState } from './screen-state.js';
import { lastScroll } from './scrolled-lines.js';
import { openTerminalOutput } from './terminal-output.js';

/** The session works for so long at most before keys and frames have their turn, ms. */
const BUDGET_MS = 30;
/** Between two turns of the session, where nothing hurries it, ms. */
const TURN_MS = 50;

export interface ScreenOptions {
  /** Whether standard input is what the session reads. */
  readonly isStdinSource: boolean;
  readonly readJump: ReadJump;
  /** What drawing cost is told at the end. */
  readonly isDebugged: boolean;
}

/** @returns the exit code */
export async function runScreen(
  session: Session,
  { isStdinSource, readJump, isDebugged }: ScreenOptions,
): Promise<number> {
  const { stdout } = process;
  const look = lookOf(process.env, stdout.getColorDepth());
  const output = openTerminalOutput(() => interrupt());
  const screen = createAlternateScreen((text) => output.write(text));
  const frames = createFrameWriter((text) => output.write(text));
  const pace = createFramePace();
  const begun = performance.now();

  let state = FIRST_STATE;
  let keyboard: ReadStream | undefined;
  let mounted: MountedDashboard | undefined;
  /** Else another job has the terminal, or the shell: nothing is drawn then. */
  let isInFront = false;
  let timer: NodeJS.Timeout | undefined;
  /** What stood on the screen last. */
  let drawn: DashboardView | undefined;
  let farewell: string | undefined;
  let finish: (exitCode: number) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;

  const sizeNow = (): ScreenSize => ({ columns: stdout.columns, rows: stdout.rows });
  const shown = (): Shown => ({ view: session.view(), state, size: sizeNow() });
  /** As the view is drawn now. */
  const furthest = (of: ScreenState): number => {
    const [view, size] = [session.view(), sizeNow()];
    const room = { width: size.columns, look };
    const [head, foot] = [headLines(view, room), footLines(of, view, room)];
    return lastScroll(view, of, frameBetween(head, foot, size, look));
  };
  const draw = (): void => {
    const before = process.cpuUsage();
    const next = shown();
    mounted?.draw(next);
    drawn = next.view;
    const { user, system } = process.cpuUsage(before);
    pace.drawn(performance.now(), (user + system) / 1000);
  };
  /** What was waited for is written, or could not be: then people are to see why. */
  const leaveSaved = (): void => {
    state = { ...state, isLeaving: false };
    if (session.view().saved?.isError !== true) quit();
  };
  const quit = (): void => {
    const { text, exitCode } = farewellOf(session.view(), drawn);
    farewell = text;
    finish(exitCode);
  };
  const turn = (): void => {
    clearTimeout(timer);
    try {
      if (session.advance(performance.now(), BUDGET_MS)) pace.changed();
      if (state.isLeaving && session.view().saving === undefined) leaveSaved();
      if (!isInFront && hasTerminal()) enter();
      if (isInFront && !output.isBusy && pace.isDue(performance.now())) {
        if (hasTerminal()) draw();
        else leave();
      }
    } catch (error) {
      fail(error);
      return;
    }
    timer = setTimeout(turn, isBusy(session.view()) ? 0 : TURN_MS);
  };
  const press = (keys: readonly string[]): void => {
    try {
      for (const key of keys) {
        const page = Math.max(1, stdout.rows - 8);
        const view = session.view();
        const pressed = pressKey(state, key, { view, page, lastScroll: furthest, readJump });
        state = pressed.state;
        for (const command of pressed.commands) session.tell(command);
        if (pressed.leave === 'quit') return quit();
        if (pressed.leave === 'interrupt') return finish(EXIT.interrupted);
        // The whole job, as the terminal's driver would: what feeds a pipe stops too.
        if (pressed.leave === 'suspend') return void process.kill(0, 'SIGTSTP');
      }
      // What a key does is to be seen at once; the frame waits only for the last one to be over.
      pace.changed();
      turn();
    } catch (error) {
      fail(error);
    }
  };
  /** At the beginning, and after the shell had the terminal. */
  const enter = (): void => {
    // Stopped from outside it was not given back, and is as the shell left it.
    leave();
    isInFront = true;
    keyboard = openKeyboard(isStdinSource);
    keyboard?.once('end', interrupt).once('error', interrupt);
    screen.enter();
    frames.forget();
    mounted = mountDashboard(shown(), { frames, keyboard, look, onKeys: press, onError: fail });
    stdout.on('resize', resize);
    // Of another size meanwhile only the job in front was told.
    process.kill(process.pid, 'SIGWINCH');
  };
  const resize = (): void => {
    if (!isInFront) return;
    screen.clear();
    frames.forget();
    pace.changed();
    if (!output.isBusy) draw();
  };
  /** Behind another job the terminal is that one's: its modes and what stands on it stay as they are. */
  const leave = (): void => {
    const isOurs = hasTerminal();
    isInFront = false;
    stdout.removeListener('resize', resize);
    clearTimeout(timer);
    // Ink sets the modes of one that is open, and who does that from behind is stopped for it.
    if (!isOurs) keyboard?.destroy();
    mounted?.unmount();
    mounted = undefined;
    // What is typed from now on is for others.
    keyboard?.destroy();
    keyboard = undefined;
    if (isOurs) {
      screen.leave();
      output.flush();
    } else output.drop();
  };
  /** Waiting for a signal alone keeps no process going. */
  let suspended: NodeJS.Timeout | undefined;
  /** The shell gets the terminal, until it lets this go on. */
  const suspend = (): void => {
    if (suspended !== undefined) return;
    leave();
    suspended = setInterval(() => undefined, 2 ** 30);
    process.kill(process.pid, 'SIGSTOP');
  };
  /** In front or behind: what comes is read on, and drawn once the terminal is here. */
  const resume = (): void => {
    stopWaiting();
    // Stopped from outside it still has the keyboard.
    if (mounted !== undefined && !hasTerminal()) leave();
    isInFront = false;
    turn();
  };
  const stopWaiting = (): void => {
    clearInterval(suspended);
    suspended = undefined;
  };

  const interrupt = (): void => finish(EXIT.interrupted);
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  process.on('SIGTSTP', suspend);
  process.on('SIGCONT', resume);
  process.on('exit', leave);
  const crash = (error: unknown): void => fail(error);
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  try {
    return await new Promise<number>((resolve, reject) => {
      finish = resolve;
      fail = reject;
      turn();
    });
  } finally {
    leave();
    output.close();
    for (const signal of signals) process.removeListener(signal, interrupt);
    process.removeListener('SIGTSTP', suspend);
    // Who is killed while the shell has the terminal is told to end and to go on, in one.
    process.removeListener('SIGCONT', resume);
    stopWaiting();
    process.removeListener('exit', leave);
    process.removeListener('uncaughtException', crash);
    process.removeListener('unhandledRejection', crash);
    if (farewell !== undefined) say('tui', farewell);
    if (isDebugged) say('tui', whatDrawingCost(pace, performance.now() - begun));
  }
}

function whatDrawingCost({ frames, cost }: FramePace, elapsed: number): string {
  const each = (cost / Math.max(1, frames)).toFixed(1);
  const perSecond = ((1000 * frames) / elapsed).toFixed(1);
  const share = ((100 * cost) / elapsed).toFixed(1);
  return `${frames} frames, ${each} ms each, ${perSecond} a second, ${share} % of one CPU`;
}
