/**
 * The engine on real executions of a direct-map kernel of which it sees only what a stock host's recording
 * would show: what it is sure of must be what that kernel decided.
 */
import { describe, expect, it } from 'vitest';
import { findDesign } from '../src/designs.ts';
import { goldenAsStock } from './golden-as-stock.ts';
import { GOLDEN_TRACES, goldenPath } from './golden-traces.ts';
import { stockVerdicts } from './stock-verdicts.ts';
import { readTextTrace } from './text-trace.ts';

const DECISIONS = ['fallback', 'hit', 'iotlb'];

describe.each(['voluntary', 'unknown'] as const)(
  'with %s preemption',
  { timeout: 120_000 },
  (preemption) => {
    it.each(
      // p1 is of a kernel that preempts fully.
      GOLDEN_TRACES.filter((name) => preemption === 'unknown' || !name.startsWith('p1')),
    )('%s: nothing is wrong', (name) => {
      const design = findDesign(name.startsWith('f1') ? 'fixes-v5' : 'merged')!;
      const { events, rounds } = goldenAsStock(readTextTrace(goldenPath(name)));
      const verdicts = stockVerdicts(events, { design, preemption });
      let [sure, open] = [0, 0];
      const wrong: string[] = [];
      for (const [event, areas] of verdicts.rounds) {
        for (const [area, decided] of (rounds.get(event) ?? []).entries()) {
          const verdict = areas[area];
          if (verdict === undefined || decided.size === 0) continue;
          if (verdict === 'ambiguous') open++;
          else sure++;
          if (verdict !== 'ambiguous' && [...decided].some((one) => DECISIONS[one] !== verdict))
            wrong.push(
              `${event.time} vq ${event.vq} area ${area}: ${verdict}, ${[...decided].join(' ')}`,
            );
        }
      }
      process.stdout.write(`${name} ${preemption}: ${sure} areas of rounds sure, ${open} open\n`);
      expect(wrong.slice(0, 5)).toEqual([]);
    });
  },
);
