/** How a recording ended, and the words for it in its trace. */
import type { OutputError } from '@vhostscope/trace';
import { lengthInWords } from './recording-length.js';
import type { StopReason } from './stop-request.js';

export type RecordingEnd =
  | { readonly why: 'stopped'; readonly reason: StopReason }
  | { readonly why: 'left at once' }
  | {
      readonly why: 'recorder ended';
      readonly words: string;
      readonly complaints: readonly string[];
    }
  | { readonly why: 'recorder output failed'; readonly words: string }
  | { readonly why: 'output failed'; readonly error: OutputError };

export function unreadable(
  name: string,
  reason: string,
): RecordingEnd & { why: 'recorder output failed' } {
  return {
    why: 'recorder output failed',
    words: `what ${name} prints cannot be read any more: ${reason}`,
  };
}

/** Why a recording ended, for the trace. */
export function inWords(end: RecordingEnd): string {
  switch (end.why) {
    case 'recorder ended':
    case 'recorder output failed':
      return end.words;
    case 'output failed':
      return end.error.message;
    case 'left at once':
      return 'a second signal';
    case 'stopped':
      return reasonInWords(end.reason);
  }
}

function reasonInWords(reason: StopReason): string {
  switch (reason.why) {
    case 'signal':
      return reason.signal;
    case 'duration':
      return lengthInWords(reason.lateMs);
    case 'dashboard left':
    case 'reader gone':
      return reason.why;
  }
}
