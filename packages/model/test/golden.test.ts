/** The oracle against what a real kernel decided: it must be right before it judges anything. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { EventRecord } from './event-record.ts';
import { oracle, type OracleDesign } from './oracle.ts';
import { readTextTrace } from './text-trace.ts';

/** Traces come from `examples/`; VHOSTSCOPE_TRACES names a folder with more of them. */
const folder = process.env['VHOSTSCOPE_TRACES'] ?? join(import.meta.dirname, '../../../examples');
const traces = existsSync(folder)
  ? readdirSync(folder).filter((name) => /^[a-z]\d-.*\.txt\.gz$/.test(name))
  : [];

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

describe.skipIf(traces.length === 0)('the oracle on golden traces', () => {
  it.each(traces)('%s: every access and every refusal', (name) => {
    const events = readTextTrace(join(folder, name));
    const found = wrong(events, name.startsWith('f1') ? 'fixes-v5' : 'merged');
    expect(found.of).toBeGreaterThan(0);
    expect(found).toMatchObject({ accesses: 0, refusals: 0 });
  });

  const fixes = traces.filter((name) => name.startsWith('f1'));
  it.skipIf(fixes.length === 0)('f1 under the merged rules is wrong somewhere', () => {
    expect(wrong(readTextTrace(join(folder, fixes[0])), 'merged').accesses).toBeGreaterThan(0);
  });
});
