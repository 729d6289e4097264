/** Every real recording: what the program says against what the kernel did and what was counted by other means. */
import { describe, expect, it } from 'vitest';
import { infoResultSchema } from '../src/info-result.ts';
import { runResultSchema } from '../src/run-result.ts';
import { verifyResultSchema } from '../src/verify-result.ts';
import { replay } from './in-process.ts';
import { expectedOf, trace, TRACES } from './traces.ts';

/** d1 has no effects, for no range overlaps a ring of it. */
const orderOf = (name: string): string => (name.startsWith('d1') ? 'ranges' : 'effects');

describe.each(TRACES)('$name', ({ name, path, design, preempt }) => {
  const expected = expectedOf(name);

  it('decides in effects order as the kernel did, everywhere', async () => {
    const { code, out, err } = await replay(
      'verify',
      '--json',
      '--order',
      'effects',
      '--design',
      design,
      path,
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const result = verifyResultSchema.parse(JSON.parse(out));
    expect(result).toMatchObject({ design, order: orderOf(name), complete: null, first: [] });
    expect(result).toMatchObject({ disagree: 0, ambiguous: 0, agree: result.compared });
    expect(result.accesses.compared).toBe(expected.accesses);
    const { built, ...failed } = expected.prefetch;
    const attempts = Object.values(failed).reduce((sum, count) => sum + count, built ?? 0);
    expect(result.refusals.compared).toBe(attempts);
  });

  it('tallies what a count of its text finds', async () => {
    const { code, out, err } = await replay('run', '--json', '--design', design, path);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const result = runResultSchema.parse(JSON.parse(out));
    expect(result).toMatchObject({ design, order: orderOf(name), complete: null });
    const { accesses, hits, fallbacks, iotlb, rounds, ranges } = expected;
    expect(result.totals).toMatchObject({ accesses, hits, fallbacks, iotlb, ambiguous: 0 });
    expect(result.rounds).toBe(rounds);
    expect(result.ranges).toMatchObject(ranges);
    // Found without the engine.
    expect(result.makers.invalidations).toBe(result.ranges.overlapping);
    const { other, ...attempts } = expected.prefetch;
    expect(result.prefetch).toEqual({ ...attempts, no_memory: other, ambiguous: 0 });
    const byAddress = Object.keys(expected.vqs).toSorted((a, b) =>
      BigInt(`0x${a}`) < BigInt(`0x${b}`) ? -1 : 1,
    );
    const found = result.virtqueues.map(({ accessors }) =>
      Object.fromEntries(
        Object.entries(accessors).map(([accessor, decisions]) => [
          accessor,
          { accesses: decisions.accesses, hits: decisions.hits },
        ]),
      ),
    );
    expect(found).toEqual(byAddress.map((address) => expected.vqs[address]));
  });

  it.each([['--preempt', preempt], []])(
    'claims nothing wrong from ranges alone: %s %s',
    async (...options) => {
      const { code, out } = await replay(
        'verify',
        '--json',
        '--order',
        'ranges',
        '--design',
        design,
        ...options,
        path,
      );
      const result = verifyResultSchema.parse(JSON.parse(out));
      expect(result).toMatchObject({ order: 'ranges', disagree: 0, first: [] });
      expect(result.preemption).toBe(options[1] ?? 'unknown');
      expect(result.accesses.compared).toBe(expected.accesses);
      expect(code).toBe(0);
    },
  );

  it('holds the events that its text has', async () => {
    const { code, out, err } = await replay('info', '--json', path);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { recordings } = infoResultSchema.parse(JSON.parse(out));
    expect(recordings).toHaveLength(1);
    const { start, end } = expected.effects;
    expect({ effect_start: 0, effect_end: 0, ...recordings[0]?.events }).toMatchObject({
      access: expected.accesses,
      round: expected.rounds,
      range_start: expected.ranges.start,
      range_end: expected.ranges.end,
      effect_start: start,
      effect_end: end,
    });
  });
});

describe('f1 under the merged rules', () => {
  it('is contradicted by the kernel, and the first mismatches are explained', async () => {
    const { code, out } = await replay('verify', '--json', '--design', 'merged', trace('f1').path);
    expect(code).toBe(1);
    const { first, disagree, accesses } = verifyResultSchema.parse(JSON.parse(out));
    expect(accesses.disagree).toBe(5391);
    expect(disagree).toBeGreaterThan(5391);
    expect(first).toHaveLength(10);
    for (const mismatch of first) {
      expect(mismatch.line).toBeGreaterThan(0);
      expect(BigInt(mismatch.time)).toBeGreaterThan(0n);
      expect(mismatch.events.length).toBeGreaterThan(0);
      expect(mismatch.accessor === null).toBe(mismatch.what === 'prefetch');
    }
    // The merged design never sets the count back, so its maps are refused for ever.
    expect(first[0]).toMatchObject({ predicted: 'refused: invalidate_count is not 0' });
    expect(first[0]?.events.at(-1)?.invalidate_count[0]).toBeGreaterThan(0);
  });
});
