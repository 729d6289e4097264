/** What logging dirty memory cost, as `--json` prints it, and for people. */
import { ATOMICS_OF_BIT, pinCalls, type DirtyLogWatch } from '@vhostscope/model';
import { counted, grouped, tableLines } from '@vhostscope/terminal';
import { z } from 'zod';
import { numberColumn, textColumn, virtqueueName, wrapped } from './text-parts.js';

const count = z.number().int().nonnegative();

export const dirtyLogSchema = z.object({
  virtqueues: z.array(
    z.object({
      id: count,
      dev: count.nullable(),
      /** Stretches of memory that were logged (log_write). */
      writes: count,
      /** Bits set, one for each page of a stretch; bits that were set before are set again. */
      bits: count,
      /** get_user_pages calls: one for each bit, and the one with which a stretch failed; at least so many. */
      gup_calls: count,
      /** Stretches that could not be logged, as get_user_pages failed. */
      gup_failures: count,
      /** Atomic operations by rule, at least: a page is pinned, its bit set, the page unpinned. */
      atomics: count,
    }),
  ),
});
export type DirtyLog = z.infer<typeof dirtyLogSchema>;

/** Undefined where nothing was logged. */
export function dirtyLogResult(
  { logged }: Pick<DirtyLogWatch, 'logged'>,
  virtqueues: readonly { readonly id: number; readonly dev: number | null }[],
): DirtyLog | undefined {
  if (logged.size === 0) return undefined;
  return {
    virtqueues: virtqueues.flatMap(({ id, dev }) => {
      const found = logged.get(id);
      if (found === undefined) return [];
      const { writes, bits, failures } = found;
      return {
        id,
        dev,
        writes,
        bits,
        gup_calls: pinCalls(found),
        gup_failures: failures,
        atomics: ATOMICS_OF_BIT * bits,
      };
    }),
  };
}

export function dirtyLogLines(found: DirtyLog | null): string[] {
  if (found === null) return [];
  const sum = (of: (one: DirtyLog['virtqueues'][number]) => number): number =>
    found.virtqueues.reduce((all, one) => all + of(one), 0);
  const failures = sum((one) => one.gup_failures);
  return [
    '',
    ...wrapped(
      '',
      `dirty log: ${counted(
        sum((one) => one.bits),
        'bit',
      )} set for ${counted(
        sum((one) => one.writes),
        'write',
      )}, by ${counted(
        sum((one) => one.gup_calls),
        'get_user_pages call',
      )} (${failures === 0 ? 'none' : grouped(failures)} failed) and at least ${grouped(
        sum((one) => one.atomics),
      )} atomic operations; no design spares them`,
      '  ',
    ),
    ...tableLines(
      [
        textColumn('virtqueue'),
        numberColumn('writes'),
        numberColumn('bits'),
        numberColumn('GUP calls'),
        numberColumn('failed'),
      ],
      found.virtqueues.map(({ writes, bits, gup_calls, gup_failures, ...virtqueue }) => [
        virtqueueName(virtqueue),
        ...[writes, bits, gup_calls, gup_failures].map(grouped),
      ]),
    ).map((line) => `  ${line}`),
  ];
}
