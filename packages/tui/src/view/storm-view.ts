/** What is told of storms, and of who makes ranges. */
import {
  estimateRate,
  INVALIDATION_CAUSES,
  SAMPLED_AMBIGUOUS,
  SAMPLED_FALLBACKS,
  SAMPLED_HITS,
  SAMPLED_IOTLB,
  type RateChange,
} from '@vhostscope/model';
import { causesOf, classesOf, processesOf, transmittedIn } from '@vhostscope/replay';
import type { Account } from '../account/account.js';
import type { SeenStorm } from '../account/storm-list.js';
import type { CauseView, StormView } from '../dashboard.js';
import { grownLately, type Lately } from './virtqueue-view.js';

/** The storms up to a moment, newest first. */
export function viewStorms(
  { storms, options: { first, chosen } }: Account,
  at: number,
  rates: RateChange | undefined,
): StormView[] {
  const isEstimated = chosen.host === 'stock';
  return storms.until(first + BigInt(Math.max(0, at - 1))).map((seen) => {
    const { storm, perSecond } = seen;
    const counted = (place: number): number => storm.counted[place] ?? 0;
    const [hits, fallbacks, iotlb, ambiguous] = [
      counted(SAMPLED_HITS),
      counted(SAMPLED_FALLBACKS),
      counted(SAMPLED_IOTLB),
      counted(SAMPLED_AMBIGUOUS),
    ];
    const named =
      classesOf(storm, (recording, stack) => storms.classOf(recording, stack)) ?? causesOf(storm);
    return {
      number: storm.number,
      dev: storm.dev,
      begin: Number(storm.begin - first),
      // All events before a moment are in its numbers: that one, too.
      from: Number(storm.noticed - first) + 1,
      end: Number(storm.end - first),
      isOver: storm.isOver,
      ranges: storm.ranges,
      by: [
        ...(storm.isByRate ? (['rate'] as const) : []),
        ...(storm.isByDown ? (['down'] as const) : []),
      ],
      causes: Object.entries(named),
      processes: processesOf(storm),
      virtqueues: [...storm.virtqueues].toSorted(([, a], [, b]) => b - a),
      decided: {
        accesses: hits + fallbacks + iotlb + ambiguous,
        hits,
        fallbacks,
        iotlb,
        ambiguous,
        isEstimated,
      },
      lost: lostIn(seen, rates),
      perSecond: [...perSecond],
    };
  });
}

/** Packets per second less than if every access hit. */
function lostIn({ storm, isUnsure }: SeenStorm, rates: RateChange | undefined): StormView['lost'] {
  if (rates === undefined || isUnsure) return undefined;
  const estimate = estimateRate(rates, transmittedIn(storm.counted));
  if (estimate === undefined) return undefined;
  const [least, most] = estimate.rate;
  const lost = (rate: number): number => Math.max(0, rates.after - rate);
  return [lost(most), lost(least)];
}

/** Who invalidates, the most first; makers that only a stack tells apart are one. */
export function viewCauses({ invalidations, byMaker }: Account, lately: Lately): CauseView[] {
  const found = new Map<string, CauseView>();
  for (const maker of invalidations.makers.values()) {
    const { cause, pid, comm, ranges, index } = maker;
    const className = invalidations.classOf(maker);
    const key = `${cause} ${className} ${pid} ${comm}`;
    const known = found.get(key);
    found.set(key, {
      cause: cause < 0 ? 'others' : (INVALIDATION_CAUSES[cause] ?? String(cause)),
      className,
      pid,
      comm,
      ranges: ranges + (known?.ranges ?? 0),
      inWindow: grownLately(byMaker, lately, index) + (known?.inWindow ?? 0),
      fallbacks: invalidations.fallbacksOf(maker) + (known?.fallbacks ?? 0),
    });
  }
  return [...found.values()].toSorted((a, b) => b.ranges - a.ranges);
}
