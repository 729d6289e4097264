/** Where keys come from. */
import { openSync } from 'node:fs';
import { isatty, ReadStream } from 'node:tty';

const STDIN = 0;

/**
 * The terminal itself, opened for the keys alone: one that is destroyed reads nothing any more from that moment on,
 * whereas a standard input that is paused may read once more, and who reads keys behind another job is stopped.
 *
 * @param isSource whether standard input is the trace
 * @returns undefined where there is none
 */
export function openKeyboard(isSource: boolean): ReadStream | undefined {
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    // No controlling terminal, so no jobs either. Without keys what is drawn can be looked at, and Ctrl-C ends it.
    return isSource || !isatty(STDIN) ? undefined : new ReadStream(STDIN);
  }
}
