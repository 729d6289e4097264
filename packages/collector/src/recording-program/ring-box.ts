/**
 * Where the rings of an address space lie: `@low` and `@high` (inclusive) bound them all, so that ranges which
 * touch none are left out. A box that is too narrow would leave out ranges that do, and nobody would know.
 *
 * Rings are set up on several CPUs at once, and bpftrace (0.17) can only read a map and then write it: of two
 * that widen the box at one time, one may write what the other has just widened. That cannot be hindered here,
 * but it can be noticed. Who widens leaves a mark of its own in `@widening` before it reads, and looks for it
 * after it has written. Of two whose work overlaps, the one that left its mark first finds it gone: it was
 * written over in between, or taken away. (Each map's own lock orders the accesses to it.) From then on the box
 * of that address space bounds nothing, `@unbounded`: a flag that is only ever set cannot be lost.
 *
 * Who comes to a mark says so before it reads, so no range is left out meanwhile. Only where both find none and
 * leave theirs at the same moment, a range may have come before it was noticed: it is counted as a line about
 * ranges that was never printed, and the recording is not complete.
 */
import { when, type Statement } from './program-text.js';

/** Of an address space; all are forgotten with it. */
export const BOX_MAPS = ['@low', '@high', '@widening', '@unbounded'] as const;

/** An area of a ring: expressions. */
interface BoxedArea {
  readonly start: string;
  readonly bytes: string;
}

/** Widens the box of the address space `$mm` by areas. */
export function widenBox(areas: readonly BoxedArea[]): Statement[] {
  return [
    // No other has it: the CPU and its time.
    '$mark = ((uint64)nsecs << 13) | (uint64)cpu;',
    ...when('@widening[$mm] != 0', ['@unbounded[$mm] = (uint64)1;']),
    '@widening[$mm] = $mark;',
    ...areas.flatMap(widenByArea),
    'if (@widening[$mm] == $mark) {',
    ['@widening[$mm] = (uint64)0;'],
    '} else {',
    [...when('@unbounded[$mm] == 0', ['@unbounded[$mm] = (uint64)1;', '@ranges[cpu]++;'])],
    '}',
  ];
}

function widenByArea({ start, bytes }: BoxedArea): Statement[] {
  return [
    `$start = (uint64)${start};`,
    // From bpftrace 0.26 on a difference is signed.
    `$last = (uint64)($start + ${bytes} - 1);`,
    ...when('$start != 0', [
      ...when('@low[$mm] == 0 || $start < @low[$mm]', ['@low[$mm] = $start;']),
      ...when('$last > @high[$mm]', ['@high[$mm] = $last;']),
    ]),
  ];
}

/**
 * Whether a range may touch a ring of an address space; as the design tests it, the end of a range counts as in
 * it. The flag is read last: whoever narrows the box has set it before.
 */
export function mayTouchRings(mm: string, start: string, end: string): string {
  return `((${start} <= @high[${mm}] && ${end} >= @low[${mm}]) || @unbounded[${mm}] != 0)`;
}
