import type { MessageType } from './messages.js';
import type { ParserCounts } from './options.js';
import { QUIRKS, type QuirkId, quirksIn } from './quirks.js';

/** {@link ParserCounts} while they are being counted. */
export type MutableCounts = {
  -readonly [K in keyof Omit<ParserCounts, 'messages' | 'repairs'>]: ParserCounts[K];
} & {
  readonly messages: Record<MessageType, number>;
  readonly repairs: Record<QuirkId, number>;
};

/** All zero. */
export function createCounts(): MutableCounts {
  return {
    lines: 0,
    taken: 0,
    blank: 0,
    messages: {
      printf: 0,
      text: 0,
      time: 0,
      cat: 0,
      join: 0,
      syscall: 0,
      attached_probes: 0,
      probes_ready: 0,
      no_probes: 0,
      lost_events: 0,
      lost_total: 0,
      map: 0,
      hist: 0,
      stats: 0,
      tseries: 0,
      value: 0,
      helper_error: 0,
      runtime_error: 0,
      errorf: 0,
      warnf: 0,
      log: 0,
      verbose: 0,
      truncated: 0,
      rejected: 0,
      unknown: 0,
    },
    repaired: 0,
    repairs: Object.fromEntries(Object.keys(QUIRKS).map((id) => [id, 0])) as Record<
      QuirkId,
      number
    >,
    rejected: 0,
    unknown: 0,
    overlong: 0,
    truncated: 0,
    lostEvents: 0n,
  };
}

/** Counts one line that was repaired, by its repair mask. */
export function countRepairs(counts: MutableCounts, mask: number): void {
  counts.repaired++;
  for (const id of quirksIn(mask)) counts.repairs[id]++;
}
