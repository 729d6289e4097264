/** What is put down to whom, against a count that goes event by event. */
import {
  AMBIGUOUS,
  INVALIDATION_CAUSES,
  KIND,
  OUTCOMES,
  REFUSED_COUNT,
  type Engine,
} from '@vhostscope/model';
import { engineOf, replayTrace } from '@vhostscope/replay';
import { openTrace, visitTrace } from '@vhostscope/trace';
import { expect, test } from 'vitest';
import { design, fileSession } from './driven-session.ts';
import { TRACES } from './traces.ts';

/** Accesses of a virtqueue that fell back; or those with one outcome. */
function fallbacks({ tallies }: Engine, vq: number, reason?: number): number {
  let sum = 0;
  const span = 16 * OUTCOMES * 4;
  for (let at = vq * span; at < (vq + 1) * span; at++) {
    const outcome = Math.floor(at / 4) % OUTCOMES;
    if (reason === undefined ? outcome > AMBIGUOUS : outcome === reason)
      sum += tallies.accesses[at] ?? 0;
  }
  return sum;
}

interface Blame {
  who: string;
  built: number;
  /** A round began while no range was under way: a count that refuses is stuck. */
  isOver: boolean;
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
    const refusedBefore = [0, 0, 0, 0];
    /** Ranges under way, and the virtqueues under them. */
    const underWay = new Map<string, number[][]>();
    visitTrace(trace.fd, trace.index, (batch, from, to) => {
      for (let i = from; i < to; i++) {
        const kind = batch.kind[i];
        const row = batch.detail[i] ?? 0;
        const wide = (words: Uint32Array): bigint =>
          (BigInt(words[2 * row + 1] ?? 0) << 32n) | BigInt(words[2 * row] ?? 0);
        const { details } = batch;
        const rangeKey = (): string =>
          [details.dev[row], details.pid[row], wide(details.start), wide(details.end)].join(' ');
        const vq = batch.vq[i] ?? 0;
        if (kind === KIND.round) {
          const blame = blames.get(vq);
          if (blame && (engine.tallies.prefetch[OUTCOMES * vq] ?? 0) > blame.built)
            blames.delete(vq);
          else if (blame && ![...underWay.values()].flat(2).includes(vq)) blame.isOver = true;
        } else if (kind === KIND.range_start && details.blockable[row] === 1) {
          const { offsets, bytes } = details.comm;
          const comm = Buffer.from(bytes.subarray(offsets[row], offsets[row + 1])).toString();
          const who = `${details.pid[row]} ${comm.split('\\x00')[0]} ${details.cause[row]}`;
          const under: number[] = [];
          for (const [one, areas] of rings)
            for (const [first, last] of areas.values())
              if (wide(details.end) >= first && wide(details.start) <= last) {
                const built = engine.tallies.prefetch[OUTCOMES * one] ?? 0;
                blames.set(one, { who, built, isOver: false });
                under.push(one);
              }
          const key = rangeKey();
          underWay.set(key, [...(underWay.get(key) ?? []), under]);
        } else if (kind === KIND.range_end && details.blockable[row] === 1) {
          underWay.get(rangeKey())?.pop();
        } else if (kind === KIND.notifier) {
          // Whoever leaves, or comes, is not told the ends of ranges that are under way.
          for (const key of underWay.keys())
            if (key.startsWith(`${details.dev[row]} `)) underWay.delete(key);
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
          const refused = fallbacks(engine, one, REFUSED_COUNT);
          const { who, isOver = false } = blames.get(one) ?? {};
          const stuck = isOver ? refused - (refusedBefore[one] ?? 0) : 0;
          const grown = now - (before[one] ?? 0) - stuck;
          refusedBefore[one] = refused;
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
