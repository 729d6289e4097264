/** What `replay explain` tells of a stock host's round: accesses that follow from its end, and their decisions. */
import {
  ACCESSORS,
  decisionOf,
  DOUBT_MEANING,
  OUTCOME_MEANING,
  OUTCOME_NAMES,
} from '@vhostscope/model';
import { grouped, tableLines } from '@vhostscope/terminal';
import { z } from 'zod';
import type { Explained } from './explain-trace.js';
import { about, numberColumn, textColumn, wrapped } from './text-parts.js';

const count = z.number().int().nonnegative();

export const derivedAccesses = z.object({
  accessor: z.string(),
  decision: z.enum(['hit', 'fallback', 'iotlb', 'ambiguous']),
  /** In words; null where several reasons mix. */
  reason: z.string().nullable(),
  /** As estimated; and at least, at most (null where nothing bounds them). */
  accesses: count,
  least: count,
  most: count.nullable(),
});
export type DerivedAccessesResult = z.infer<typeof derivedAccesses>;

export function describeDerived({ derived, doubt }: Explained): DerivedAccessesResult[] {
  return derived.map(({ accessor, outcome, least, most, estimate }) => {
    const name = OUTCOME_NAMES[outcome] ?? '';
    const decision = decisionOf(outcome);
    const reason =
      decision === 'ambiguous'
        ? doubt === undefined
          ? null
          : DOUBT_MEANING[doubt]
        : OUTCOME_MEANING[name];
    return {
      accessor: ACCESSORS[accessor] ?? String(accessor),
      decision,
      reason: reason ?? null,
      accesses: estimate,
      least,
      most: most === Infinity ? null : most,
    };
  });
}

/** A row an accessor; `≈` marks what is estimated. */
export function derivedLines(derived: readonly DerivedAccessesResult[]): string[] {
  const table = tableLines(
    [
      textColumn('accessor'),
      numberColumn('accesses'),
      numberColumn('from'),
      numberColumn('to'),
      textColumn('the model'),
    ],
    derived.map(({ accessor, decision, accesses, least, most }) => [
      accessor,
      about(least !== most, grouped(accesses)),
      grouped(least),
      most === null ? 'any' : grouped(most),
      decision,
    ]),
  );
  const reasons = new Map(
    derived.map(({ decision, reason }) => [`${decision}: ${reason ?? ''}`, { decision, reason }]),
  );
  return [
    ...table.map((line) => `  ${line}`),
    ...[...reasons.values()].flatMap(({ decision, reason }) =>
      wrapped(`  ${decision}: `, reason ?? 'for several reasons, see the maps'),
    ),
  ];
}
