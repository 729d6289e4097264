/** What the storms of a run, or of many, come to: by cause and by class, and what was accessed in them. */
import type { Storm } from '@vhostscope/model';
import { z } from 'zod';
import type { FoundStorms } from '../find-storms.js';
import { causesOf, classesOf, decisionsIn } from '../storms-result.js';

const count = z.number().int().nonnegative();

/** Of one cause or class. */
const share = z.object({
  ranges: count,
  /** Storms that had any of them. */
  storms: count,
});

export const stormSumsSchema = z.object({
  storms: count,
  /** Blockable ranges over rings in them. */
  ranges: count,
  /** By enum mmu_notifier_event. */
  causes: z.record(z.string(), share),
  /** By what the kernel stack says, of storms of which stacks were recorded. */
  classes: z.record(z.string(), share),
  /** Ranges of storms of which none was. */
  without_stack: count,
  /** Of the devices that they came over, under the first design. */
  accesses: count,
  hits: count,
  fallbacks: count,
  iotlb: count,
  ambiguous: count,
});
export type StormSums = z.infer<typeof stormSumsSchema>;

export function noStorms(): StormSums {
  return {
    storms: 0,
    ranges: 0,
    causes: {},
    classes: {},
    without_stack: 0,
    accesses: 0,
    hits: 0,
    fallbacks: 0,
    iotlb: 0,
    ambiguous: 0,
  };
}

/** Of one run. */
export function stormSums({ storms, classOf }: FoundStorms): StormSums {
  return storms.map((storm) => sumsOf(storm, classOf)).reduce(addStorms, noStorms());
}

function sumsOf(storm: Storm, classOf: FoundStorms['classOf']): StormSums {
  const classes = classesOf(storm, classOf);
  return {
    storms: 1,
    ranges: storm.ranges,
    causes: shares(causesOf(storm)),
    classes: shares(classes ?? {}),
    without_stack: classes === null ? storm.ranges : 0,
    ...decisionsIn(storm),
  };
}

function shares(ranges: Readonly<Record<string, number>>): StormSums['causes'] {
  return Object.fromEntries(
    Object.entries(ranges).map(([name, many]) => [name, { ranges: many, storms: 1 }]),
  );
}

export function addStorms(a: StormSums, b: StormSums): StormSums {
  return {
    storms: a.storms + b.storms,
    ranges: a.ranges + b.ranges,
    causes: addShares(a.causes, b.causes),
    classes: addShares(a.classes, b.classes),
    without_stack: a.without_stack + b.without_stack,
    accesses: a.accesses + b.accesses,
    hits: a.hits + b.hits,
    fallbacks: a.fallbacks + b.fallbacks,
    iotlb: a.iotlb + b.iotlb,
    ambiguous: a.ambiguous + b.ambiguous,
  };
}

/** The most frequent first. */
function addShares(a: StormSums['causes'], b: StormSums['causes']): StormSums['causes'] {
  const sums = new Map(Object.entries(a));
  for (const [name, { ranges, storms }] of Object.entries(b)) {
    const before = sums.get(name);
    sums.set(name, {
      ranges: ranges + (before?.ranges ?? 0),
      storms: storms + (before?.storms ?? 0),
    });
  }
  return Object.fromEntries([...sums].toSorted(([, x], [, y]) => y.ranges - x.ranges));
}
