/** What is put down to whom, against a count that goes event by event. */
import { AMBIGUOUS, INVALIDATION_CAUSES, KIND, OUTCOMES, type Engine } from '@vhostscope/model';
import { engineOf, replayTrace } from '@vhostscope/replay';
import { openTrace, visitTrace } from '@vhostscope/trace';
import { expect, test } from 'vitest';
import { design, fileSession, TRACES } from './traces.ts';

/** Accesses of a virtqueue that fell back. */
function fallbacks({ tallies }: Engine, vq: number): number {
  let sum = 0;
  const span = 16 * OUTCOMES * 4;
  for (let at = vq * span; at < (vq + 1) * span; at++) {
    const outcome = Math.floor(at / 4) % OUTCOMES;
    if (outcome > AMBIGUOUS) sum += tallies.accesses[at] ?? 0;
  }
  return sum;
}

interface Blame {
  who: string;
  built: number;
}

test.each(['u1', 's3'] as const)(
  '%s: fallbacks are put down to the range before them',
  async (name) => {
    const trace = await openTrace(TRACES[name]);
    // Where rings are, from the text: the engine is not asked.
    const rings = new Map<number, Map<number, [bigint, bigint]>>();
    const engine = engineOf(replayTrace(trace, design('merged'), { order: 'auto' }));
    const blames = new Map<number, Blame>();
    const shares = new Map<string, number>();
    const before = [0, 0, 0, 0];
    visitTrace(trace.fd, trace.index, (batch, from, to) => {
      for (let i = from; i < to; i++) {
        const kind = batch.kind[i];
        const row = batch.detail[i] ?? 0;
        const wide = (words: Uint32Array): bigint =>
          (BigInt(words[2 * row + 1] ?? 0) << 32n) | BigInt(words[2 * row] ?? 0);
        const { details } = batch;
        const vq = batch.vq[i] ?? 0;
        if (kind === KIND.round) {
          const blame = blames.get(vq);
          if (blame && (engine.tallies.prefetch[OUTCOMES * vq] ?? 0) > blame.built)
            blames.delete(vq);
        } else if (kind === KIND.range_start && details.blockable[row] === 1) {
          const { offsets, bytes } = details.comm;
          const comm = Buffer.from(bytes.subarray(offsets[row], offsets[row + 1])).toString();
          const who = `${details.pid[row]} ${comm.split('\\x00')[0]} ${details.cause[row]}`;
          for (const [one, areas] of rings)
            for (const [first, last] of areas.values())
              if (wide(details.end) >= first && wide(details.start) <= last)
                blames.set(one, { who, built: engine.tallies.prefetch[OUTCOMES * one] ?? 0 });
        } else if (kind === KIND.reset) rings.delete(vq);
        else if (kind === KIND.addresses) {
          const areas = rings.get(vq) ?? new Map<number, [bigint, bigint]>();
          rings.set(vq, areas);
          const size = wide(details.size);
          const first = wide(details.address);
          if (size === 0n) areas.delete(details.area[row] ?? 0);
          else areas.set(details.area[row] ?? 0, [first, first + size - 1n]);
        }
        engine.consume(batch, i, i + 1);
        for (const one of [0, 1, 2, 3]) {
          const now = fallbacks(engine, one);
          const who = blames.get(one)?.who;
          const grown = now - (before[one] ?? 0);
          if (who !== undefined && grown > 0) shares.set(who, (shares.get(who) ?? 0) + grown);
          before[one] = now;
        }
      }
    });
    trace.close();

    const session = await fileSession(TRACES[name], { window: 1e9 });
    const { causes } = session.settle();
    expect(shares.size).toBeGreaterThan(0);
    const shown = causes.map(({ pid, comm, cause, fallbacks: share }): [string, number] => [
      `${pid} ${comm} ${INVALIDATION_CAUSES.indexOf(cause)}`,
      share,
    ]);
    expect(new Map(shown.filter(([, share]) => share > 0))).toEqual(shares);
    await session.close();
  },
);
