/** Where keys come from. */
import { openSync } from 'node:fs';
import { ReadStream } from 'node:tty';

/**
 * Standard input, or the terminal itself where standard input is the trace or a file.
 *
 * @returns undefined where there is none
 */
export function openKeyboard(
  stdin: NodeJS.ReadStream,
  isSource: boolean,
): NodeJS.ReadStream | undefined {
  if (stdin.isTTY && !isSource) return stdin;
  try {
    return new ReadStream(openSync('/dev/tty', 'r'));
  } catch {
    // No controlling terminal: what is drawn can be looked at, and Ctrl-C ends it.
    return undefined;
  }
}
