/** Decisions from counters, as plain numbers. */
import {
  AMBIGUOUS,
  AREA_COUNT,
  derivedIndex,
  ACCESSORS,
  HIT,
  IOTLB,
  OUTCOME_NAMES,
  OUTCOMES,
  type Tallies,
} from '@vhostscope/model';
import type { Decided } from '../dashboard.js';

/** Accesses by outcome. Of so few numbers a plain array is made faster than a typed one. */
export type Outcomes = number[];

const NONE: readonly number[] = Array.from({ length: OUTCOMES }, () => 0);

export function noOutcomes(): Outcomes {
  return NONE.slice();
}

export function decidedOf(outcomes: Outcomes, mayBeOther: boolean): Decided {
  const hits = outcomes[HIT];
  const iotlb = outcomes[IOTLB];
  const ambiguous = outcomes[AMBIGUOUS];
  let accesses = 0;
  for (let outcome = 0; outcome < OUTCOMES; outcome++) accesses += outcomes[outcome];
  const fallbacks = accesses - hits - iotlb - ambiguous;
  return { accesses, hits, fallbacks, iotlb, ambiguous, isEstimated: mayBeOther };
}

/** Fallbacks by reason, the most first. */
export function reasonsOf(outcomes: Outcomes): [reason: string, accesses: number][] {
  const found: [string, number][] = [];
  for (let outcome = AMBIGUOUS + 1; outcome < OUTCOME_NAMES.length; outcome++)
    if (outcomes[outcome] > 0)
      found.push([OUTCOME_NAMES[outcome] ?? String(outcome), outcomes[outcome]]);
  return found.length < 2 ? found : found.toSorted(([, a], [, b]) => b - a);
}

/** Adds the outcomes of a row of `sampleVirtqueue` that begins at `row`, of all areas or of one. */
export function addRow(into: Outcomes, rows: Float64Array, row: number, area?: number): void {
  const from = area ?? 0;
  const to = area === undefined ? AREA_COUNT : area + 1;
  // Where there were fewer, there was nothing to count.
  if (row + OUTCOMES * to > rows.length) return;
  for (let one = from; one < to; one++)
    for (let outcome = 0; outcome < OUTCOME_NAMES.length; outcome++)
      into[outcome] += rows[row + OUTCOMES * one + outcome];
}

export function add(into: Outcomes, from: Outcomes): void {
  for (let outcome = 0; outcome < into.length; outcome++) into[outcome] += from[outcome];
}

/** Whether what was counted of a virtqueue may be other counts; of one accessor, or of all. */
export function isEstimated({ derived }: Tallies, vq: number, accessor?: number): boolean {
  if (derived === undefined || vq >= derived.rounds.length) return false;
  let least = 0;
  let most = 0;
  const [from, to] = accessor === undefined ? [1, ACCESSORS.length] : [accessor, accessor + 1];
  for (let one = from; one < to; one++) {
    for (let outcome = 0; outcome < OUTCOME_NAMES.length; outcome++) {
      const place = derivedIndex(vq, one, outcome);
      least += derived.least[place];
      most += derived.most[place];
    }
  }
  return least !== most;
}
