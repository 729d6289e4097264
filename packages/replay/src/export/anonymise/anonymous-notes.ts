/** The words of a recorder, without what could name a host, a file or a time of it. */
import { EVENT_NAMES } from '@vhostscope/model';
import { recordingCountsSchema } from '@vhostscope/trace';

/** Who loses events, as our own programs say it. Whatever else a trace says may be the name of anything. */
const LOSERS: ReadonlySet<string> = new Set([
  'bpftrace',
  'perf',
  'ftrace',
  'unreadable input',
  'lines from before the recording',
  'probes that the kernel skipped',
  'before this reader joined',
]);
const OTHERS = 'others';

export function anonymousLoser(by: string): string {
  return LOSERS.has(by) ? by : OTHERS;
}

/** Counts by who lost, decimal strings. */
export function anonymousLosses(lost: Readonly<Record<string, string>>): Record<string, string> {
  const sums = new Map<string, bigint>();
  for (const [by, howMany] of Object.entries(lost)) {
    const loser = anonymousLoser(by);
    sums.set(loser, (sums.get(loser) ?? 0n) + BigInt(howMany));
  }
  return Object.fromEntries([...sums].map(([by, sum]) => [by, String(sum)]));
}

/** A function, as the kernel names it; what has no name there is an address. */
const FUNCTION = /^[A-Za-z_][A-Za-z0-9_.$]*$/;
const ADDRESS = /^(0x)?[0-9a-f]{8,}$/i;

/** The functions of a kernel stack, and nothing that is none. */
export function anonymousStack(note: string): string {
  return note
    .split(' ')
    .map((name) => (FUNCTION.test(name) && !ADDRESS.test(name) ? name : 'unnamed'))
    .join(' ');
}

/**
 * What a recording says at its end: counts stay, sentences do not, for they name files and what went wrong with them.
 *
 * @param base what is taken off its times, ns
 */
export function anonymousCounts(note: string, base: bigint): string {
  const read = recordingCountsSchema.safeParse(parsed(note));
  if (!read.success) return '{}';
  const { events, first, last, backward, lost, complete } = read.data;
  const known = Object.entries(events).filter(([name]) =>
    (EVENT_NAMES as readonly (string | undefined)[]).includes(name),
  );
  return JSON.stringify({
    events: Object.fromEntries(known),
    ...(first !== undefined && { first: String(BigInt(first) - base) }),
    ...(last !== undefined && { last: String(BigInt(last) - base) }),
    backward,
    lost: anonymousLosses(lost),
    complete,
  });
}

function parsed(note: string): unknown {
  try {
    return JSON.parse(note);
  } catch {
    return undefined;
  }
}
