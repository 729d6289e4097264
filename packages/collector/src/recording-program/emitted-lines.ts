/**
 * Every CPU counts the lines that it emits, by class; a heartbeat tells the counts. A line is counted
 * after it was emitted: a heartbeat between the two says too little and not too much.
 */
import { KIND, type FieldName } from '@vhostscope/model';
import { printfOf, type EventLine } from './event-printf.js';
import { TASK, when, type Statement } from './program-text.js';

/** Lines that are counted together, and the column of the heartbeat that tells how many. */
export const LINE_CLASSES = [
  {
    name: 'state',
    field: 'emittedState',
    kinds: [
      KIND.virtqueue,
      KIND.addresses,
      KIND.unmap,
      KIND.reset,
      KIND.notifier,
      KIND.iotlb,
      KIND.iotlb_update,
      KIND.iotlb_invalidate,
    ],
  },
  {
    name: 'rounds',
    field: 'emittedRounds',
    kinds: [KIND.round, KIND.round_end, KIND.prefetch, KIND.pages, KIND.iotlb_miss, KIND.dirty_log],
  },
  {
    name: 'ranges',
    field: 'emittedRanges',
    kinds: [
      KIND.range_start,
      KIND.range_end,
      KIND.core_range_start,
      KIND.core_range_end,
      KIND.core_range_start_return,
      KIND.core_range_end_return,
      KIND.tlb_flush,
    ],
  },
  { name: 'accesses', field: 'emittedAccesses', kinds: [KIND.access, KIND.counted] },
] as const satisfies readonly {
  readonly name: string;
  readonly field: FieldName;
  readonly kinds: readonly number[];
}[];

export type LineClassName = (typeof LINE_CLASSES)[number]['name'];

/** Statements that print lines of a class, and count them. */
export function emitted(of: LineClassName, prints: readonly string[]): Statement[] {
  return [...prints, counted(of, prints.length)];
}

/** Statements that print lines of any classes with one printf, and count them. */
export function emittedTogether(lines: readonly EventLine[]): Statement[] {
  const counts = LINE_CLASSES.map(({ name, kinds }) => {
    const ofClass = lines.filter(({ event }) => kinds.some((kind) => kind === KIND[event]));
    return ofClass.length === 0 ? [] : [counted(name, ofClass.length)];
  });
  return [printfOf(lines), ...counts.flat()];
}

function counted(of: LineClassName, lines: number): Statement {
  return `@${of}[cpu]${lines === 1 ? '++' : ` += ${lines}`};`;
}

/**
 * At the beginning of a call whose return tells a line: one that began on this task before has not returned, so
 * the kernel has skipped its return (it follows so many at a time: maxactive). The line is counted as if it had
 * been printed, and is lost; what was kept for it would be told at the return of another call.
 *
 * While probes are being attached none is taken for missed: bpftrace attaches the last of the program first, and
 * returns stand behind their calls.
 *
 * @param kept what the call keeps for its return, by task; the first is never 0
 */
export function forgetMissed(of: LineClassName, kept: readonly string[]): Statement[] {
  const [mark, ...rest] = kept.map((map) => `${map}[${TASK}]`);
  return when(`${mark} != 0`, [
    `@${of}[cpu]++;`,
    ...[mark, ...rest].map((entry) => `delete(${entry});`),
  ]);
}

/**
 * Puts what is not 0 into a map. One that is full (bpftrace gives it 4,096 keys) takes nothing more, and says
 * nothing: what follows from it is counted as a line that is lost.
 */
export function remember(of: LineClassName, entry: string, value: string): Statement[] {
  return [`${entry} = ${value};`, ...when(`${entry} == 0`, [`@${of}[cpu]++;`])];
}
