/**
 * Ranges of perf as lines: those that may touch a ring, with the stack that made them; calls are paired with their
 * returns by their thread.
 */
import type { LiveTraceEvent } from '@vhostscope/trace';
import { UNKNOWN, type CountedLines } from './counted-lines.js';
import { bit, getter, hex, type Fields } from './perf-fields.js';
import type { Memories } from './ring-memories.js';

/** A range whose begin was told, and which call of it is under way. */
interface Call {
  readonly columns: (is: number) => string;
  readonly stage: 'start' | 'end';
}

/** Ranges that were refused have no end, and stay here until another comes to lie where they were. */
const MOST_RANGES = 65_536;
const MOST_STACKS = 3000;
const MOST_FRAMES = 24;

export interface ToldRanges {
  begin(from: LiveTraceEvent, fields: Fields): void;
  end(from: LiveTraceEvent, fields: Fields): void;
  /** What begins, or ends, a range has returned. */
  endCall(from: LiveTraceEvent, stage: Call['stage']): void;
  /** A function of the kernel stack of the range before. */
  hearFrame(name: string): void;
  /** No more of its stack comes: it is told. */
  release(): void;
}

export function createToldRanges(lines: CountedLines, memories: Memories): ToldRanges {
  const calls = new Map<number, Call>();
  const begun = new Set<bigint>();
  /** Numbers of stacks by their functions. */
  const stacks = new Map<string, bigint>();
  /** A range whose stack comes behind it. */
  let held: { readonly from: LiveTraceEvent; readonly tell: (stack: string) => void } | undefined;
  let frames: string[] = [];

  function beginRange(from: LiveTraceEvent, fields: Fields): void {
    if (calls.delete(from.thread)) lines.countOnly(from, 'ranges');
    const get = getter(fields);
    const range = get('range');
    // One that was refused had no end, and another comes to lie where it was.
    begun.delete(range);
    const columns = touchingRings(from, fields);
    if (columns === undefined) return;
    if (begun.size >= MOST_RANGES) {
      const [oldest = 0n] = begun;
      begun.delete(oldest);
      lines.countOnly(from, 'ranges');
    }
    begun.add(range);
    calls.set(from.thread, { columns: (is) => columns(is, UNKNOWN), stage: 'start' });
    held = { from, tell: (stack) => lines.emit(from, 'ranges', 'K', columns(1, stack)) };
  }

  function endRange(from: LiveTraceEvent, fields: Fields): void {
    if (calls.delete(from.thread)) lines.countOnly(from, 'ranges');
    if (!begun.delete(getter(fields)('range'))) return;
    const columns = columnsOf(from, fields);
    if (columns === undefined) return;
    lines.emit(from, 'ranges', 'K', columns(0, UNKNOWN));
    calls.set(from.thread, { columns: (is) => columns(is, UNKNOWN), stage: 'end' });
  }

  function endCall(from: LiveTraceEvent, stage: Call['stage']): void {
    const call = calls.get(from.thread);
    if (call?.stage !== stage) return;
    calls.delete(from.thread);
    lines.emit(from, 'ranges', 'K', call.columns(stage === 'start' ? 2 : 3));
  }

  /** The columns of a range that may touch a ring; undefined of others, which are counted. */
  function touchingRings(
    from: LiveTraceEvent,
    fields: Fields,
  ): ((is: number, stack: string) => string) | undefined {
    const get = getter(fields);
    const memory = memories.get(get('mm'));
    if (memory === undefined) {
      lines.countOnly(from, 'foreign');
      return undefined;
    }
    // As the design tests it, the end of a range counts as in it.
    if (get('start') > memory.high || get('end') < memory.low) {
      lines.countOnly(from, 'elsewhere');
      return undefined;
    }
    return columnsOf(from, fields);
  }

  function columnsOf(
    from: LiveTraceEvent,
    fields: Fields,
  ): ((is: number, stack: string) => string) | undefined {
    const get = getter(fields);
    const memory = memories.get(get('mm'));
    if (memory === undefined) return undefined;
    // MMU_NOTIFIER_RANGE_BLOCKABLE is bit 0.
    const rest = [
      hex(get('start')),
      hex(get('end')),
      get('cause'),
      bit(get('flags'), 0),
      from.process,
    ].join(' ');
    return (is, stack) => `${memory.owner} ${is} ${rest} ${stack} ${from.comm}`;
  }

  function release(): void {
    if (held === undefined) return;
    const { from, tell } = held;
    held = undefined;
    const key = frames.join(' ');
    let stack = stacks.get(key);
    if (stack === undefined && frames.length > 0 && stacks.size < MOST_STACKS) {
      stack = from.time;
      stacks.set(key, stack);
      const names = frames.map((name) => `  ${name}\n`).join('');
      lines.write(`stack ${stack} ${from.cpu}\n${names}stack end\n`);
    }
    frames = [];
    tell(stack === undefined ? UNKNOWN : String(stack));
  }

  return {
    begin: beginRange,
    end: endRange,
    endCall,
    hearFrame: (name) => {
      if (held !== undefined && frames.length < MOST_FRAMES) frames.push(name);
    },
    release,
  };
}
