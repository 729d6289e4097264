/** The oracle against what a real kernel decided: it must be right before it judges anything. */
import { describe, expect, it } from 'vitest';
import type { EventRecord } from './event-record.ts';
import { oracle, type OracleDesign } from './oracle.ts';
import { FIXES_TRACE, GOLDEN_TRACES, goldenPath } from './golden-traces.ts';
import { readTextTrace } from './text-trace.ts';

/** Predictions that differ from what the kernel did. */
function wrong(events: readonly EventRecord[], design: OracleDesign) {
  const { accesses, attempts } = oracle(events, design);
  const observed = events
    .filter(({ event }) => event === 'access')
    .map((access) => access.observed);
  const results = events.filter(({ event }) => event === 'prefetch').map(({ result }) => result);
  const decision = { fallback: 0, hit: 1, iotlb: 2, ambiguous: -1 };
  return {
    accesses: accesses.filter((verdict, index) => decision[verdict] !== observed[index]).length,
    refusals: attempts.filter((verdict, i) => (verdict === 'refused') !== (results[i] === -14))
      .length,
    of: accesses.length,
  };
}

describe('the oracle on golden traces', () => {
  it.each(GOLDEN_TRACES)('%s: every access and every refusal', (name) => {
    const events = readTextTrace(goldenPath(name));
    const found = wrong(events, name.startsWith('f1') ? 'fixes-v5' : 'merged');
    expect(found.of).toBeGreaterThan(0);
    expect(found).toMatchObject({ accesses: 0, refusals: 0 });
  });

  it('f1 under the merged rules is wrong somewhere', () => {
    expect(wrong(readTextTrace(goldenPath(FIXES_TRACE)), 'merged').accesses).toBeGreaterThan(0);
  });
});
