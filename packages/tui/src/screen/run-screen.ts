/** Drives a stage on a terminal: keys go to it, and what it shows to frames. However it ends, the terminal is as it was. */
import type { ReadStream } from 'node:tty';
import { EXIT, say } from '@vhostscope/terminal';
import type { ReactElement } from 'react';
import { createAlternateScreen } from './alternate-screen.js';
import { createFramePace, type FramePace } from './frame-pace.js';
import { createFrameWriter } from './frame-writer.js';
import { hasTerminal } from './foreground.js';
import { onInterruption } from '../interruption.js';
import { openKeyboard } from './keyboard.js';
import { mountScreen, type MountedScreen } from './mount-screen.js';
import type { ScreenSize } from './screen-size.js';
import type { Stage } from './stage.js';
import { openTerminalOutput } from './terminal-output.js';

/** The stage works for so long at most before keys and frames have their turn, ms. */
const BUDGET_MS = 30;
/** Between two turns of the stage, where nothing hurries it, ms. */
const TURN_MS = 50;

export interface ScreenOptions {
  /** Whether standard input is what is read. */
  readonly isStdinSource: boolean;
  /** What drawing cost is told at the end. */
  readonly isDebugged: boolean;
  /** Of an interruption. */
  readonly signal: AbortSignal;
}

/** @returns the exit code */
export async function runScreen(
  stage: Stage,
  { isStdinSource, isDebugged, signal }: ScreenOptions,
): Promise<number> {
  const { stdout } = process;
  const output = openTerminalOutput(() => interrupt());
  const screen = createAlternateScreen((text) => output.write(text));
  const frames = createFrameWriter((text) => output.write(text));
  const pace = createFramePace();
  const begun = performance.now();

  let keyboard: ReadStream | undefined;
  let mounted: MountedScreen | undefined;
  /** Else another job has the terminal, or the shell: nothing is drawn then. */
  let isInFront = false;
  let timer: NodeJS.Timeout | undefined;
  let farewell: string | undefined;
  let finish: (exitCode: number) => void = () => undefined;
  let fail: (error: unknown) => void = () => undefined;

  const sizeNow = (): ScreenSize => ({ columns: stdout.columns, rows: stdout.rows });
  const shown = (): ReactElement =>
    stage.draw(sizeNow(), keyboard === undefined ? undefined : press);
  const draw = (): void => {
    const before = process.cpuUsage();
    mounted?.draw(shown());
    const { user, system } = process.cpuUsage(before);
    pace.drawn(performance.now(), (user + system) / 1000);
  };
  const quit = (): void => {
    const { text, exitCode } = stage.farewell();
    farewell = text;
    finish(exitCode);
  };
  const turn = (): void => {
    clearTimeout(timer);
    try {
      if (stage.advance(performance.now(), BUDGET_MS)) pace.changed();
      if (stage.isOver) quit();
      if (!isInFront && hasTerminal()) enter();
      if (isInFront && !output.isBusy && pace.isDue(performance.now())) {
        if (hasTerminal()) draw();
        else leave();
      }
    } catch (error) {
      fail(error);
      return;
    }
    timer = setTimeout(turn, stage.isBusy ? 0 : TURN_MS);
  };
  const press = (keys: readonly string[]): void => {
    try {
      for (const key of keys) {
        const left = stage.press(key, sizeNow());
        if (left === 'quit') return quit();
        if (left === 'interrupt') return finish(EXIT.interrupted);
        // The whole job, as the terminal's driver would: what feeds a pipe stops too.
        if (left === 'suspend') return void process.kill(0, 'SIGTSTP');
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
    mounted = mountScreen(shown(), { frames, keyboard, onError: fail });
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
  let forget: () => void = () => undefined;
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
      forget = onInterruption(signal, interrupt);
      // Else the terminal is not taken at all.
      if (!signal.aborted) turn();
    });
  } finally {
    forget();
    leave();
    output.close();
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
