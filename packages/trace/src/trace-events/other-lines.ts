/** Lines of perf script, ftrace and trace-cmd that are no events: what they say of the recording. */

/** What a line says; `nothing` of what is part of the output and tells nothing, undefined when it is not known. */
export type Said =
  | { readonly what: 'nothing' }
  /** Events are missing here, or so many in all as far as is known by then. */
  | { readonly what: 'lost'; readonly events: bigint }
  | { readonly what: 'lost in all'; readonly events: bigint }
  /** Something is missing, nobody knows how much. */
  | { readonly what: 'flaw'; readonly text: string };

const NOTHING: Said = { what: 'nothing' };

const RECORD_LOST = /^PERF_RECORD_LOST lost (\d{1,20})/;
/** Counted by event at the end of a recording: the same losses as those of PERF_RECORD_LOST. */
const RECORD_LOST_SAMPLES = /^PERF_RECORD_LOST_SAMPLES lost (\d{1,20})/;
const RECORD_THROTTLE = /^PERF_RECORD_THROTTLE\b/;

/** @param text from the name of a record of perf's own to the end of its line */
export function saidByRecord(text: string): Said {
  const lost = RECORD_LOST.exec(text)?.[1];
  if (lost !== undefined) return { what: 'lost', events: BigInt(lost) };
  const samples = RECORD_LOST_SAMPLES.exec(text)?.[1];
  if (samples !== undefined) return { what: 'lost in all', events: BigInt(samples) };
  if (text.startsWith('PERF_RECORD_LOST'))
    return { what: 'flaw', text: 'perf lost events and does not say how many' };
  if (RECORD_THROTTLE.test(text))
    return { what: 'flaw', text: 'the kernel held back events: they came too fast for perf' };
  return NOTHING;
}

/** ftrace says in its first lines how many of the events that were written are still there. */
const ENTRIES = /^# entries-in-buffer\/entries-written: (\d{1,18})\/(\d{1,18}) /;
/** Of the kernel, and of trace-cmd. */
const CPU_LOST = /^CPU:\d+ \[(?:LOST (?:(\d{1,19}) )?EVENTS|(?:(\d{1,19}) )?EVENTS DROPPED)\]$/;
const PERF_LOST = /^Processed \d+ (?:events and lost \d+ chunks|samples and lost [\d.]+%)!$/;
/** A frame of a call chain, of perf or of the kernel. */
const FRAME = /^(?:\t| => )/;
const PART_OF_OUTPUT =
  /^(?:#.*|version = \d+|cpus=\d+|trace-cmd .*|Warning:|Check IO\/CPU overload!|CPU \d+ is empty|\s*)$/;

/** In the header of perf script: longer before the name than a thread's name can be. */
const RECORDED = /^# event : name = ([\w:]+),/;

/** The event that a line of perf's header says was recorded, by its name. */
export function recordedEvent(text: string): string | undefined {
  return RECORDED.exec(text)?.[1];
}

/**
 * Of a group that is sampled by its leader (`{a,b}:S`) perf prints a line of each other member where the leader's event
 * happened, with what was recorded of the leader. When the member's own events happened is not recorded. The header tells
 * it by what is read with a sample, and by the period that a member has none of.
 *
 * @param text a line of the header, or its end
 */
export function isReadWithLeader(text: string): boolean {
  return /, sample_type = (?:\w+\|)*READ\b/.test(text) && !text.includes('{ sample_period, ');
}

/** @param text a line, or its beginning */
export function saidByLine(text: string): Said | undefined {
  if (FRAME.test(text)) return NOTHING;
  const entries = ENTRIES.exec(text);
  if (entries !== null)
    return { what: 'lost in all', events: BigInt(entries[2] ?? 0) - BigInt(entries[1] ?? 0) };
  const lost = CPU_LOST.exec(text);
  const events = lost?.[1] ?? lost?.[2];
  if (lost !== null)
    return events === undefined
      ? { what: 'flaw', text: 'the kernel lost events and does not say how many' }
      : { what: 'lost', events: BigInt(events) };
  if (PERF_LOST.test(text)) return { what: 'flaw', text: `perf says: ${text}` };
  return PART_OF_OUTPUT.test(text) ? NOTHING : undefined;
}
