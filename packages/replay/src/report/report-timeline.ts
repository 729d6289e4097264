/** The time line of an engine as a report has it. */
import {
  AREAS,
  INVALIDATION_CAUSES,
  INVALIDATION_CLASSES,
  type Decision,
  type Timeline,
} from '@vhostscope/model';
import type { InfoResult } from '../info-result.js';
import type { DecisionSeries, ReportTimeline } from './report-schema.js';

const SERIES: readonly (readonly [keyof DecisionSeries, Decision])[] = [
  ['hits', 'hit'],
  ['fallbacks', 'fallback'],
  ['iotlb', 'iotlb'],
  ['ambiguous', 'ambiguous'],
];

export function reportTimeline(line: Timeline, info: InfoResult): ReportTimeline {
  const ids = info.recordings.flatMap(({ virtqueues }) => virtqueues.map(({ id }) => id));
  return {
    bin_ns: line.binWidth(),
    bins: line.bins(),
    span_ns: line.span(),
    recordings: line.recordings().map(({ at, first }) => ({ at_ns: at, first: String(first) })),
    virtqueues: ids
      .map((id) => ({ id, areas: areasOf(line, id) }))
      .filter(({ areas }) => Object.keys(areas).length > 0),
    invalidations: invalidationsOf(line),
  };
}

function areasOf(line: Timeline, vq: number): Record<string, DecisionSeries> {
  const areas: Record<string, DecisionSeries> = {};
  for (const [number, area] of AREAS.entries()) {
    const found: DecisionSeries = {};
    for (const [name, decision] of SERIES) {
      const counts = line.accesses(vq, number, decision);
      if (counts.some((count) => count > 0)) found[name] = [...counts];
    }
    if (Object.keys(found).length > 0) areas[area] = found;
  }
  return areas;
}

/** By class where any kernel stack tells one: who does it says more than what it does. */
function invalidationsOf(line: Timeline): ReportTimeline['invalidations'] {
  const classes = named(line.byClass(), (place) => INVALIDATION_CLASSES[place]);
  const isClassed = Object.keys(classes).some((name) => name !== 'unknown');
  return {
    by: isClassed ? 'class' : 'cause',
    series: isClassed ? classes : named(line.byCause(), (place) => INVALIDATION_CAUSES[place]),
    over_rings: [...line.overRings()],
  };
}

function named(
  series: readonly Float64Array[],
  nameOf: (place: number) => string | undefined,
): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const [place, counts] of series.entries()) {
    if (counts.some((count) => count > 0)) found[nameOf(place) ?? 'other'] = [...counts];
  }
  return found;
}
