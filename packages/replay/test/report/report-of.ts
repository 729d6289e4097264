/** Reports for tests: of real traces, and made so that they are hard to show. */
import { DEFAULT_STORM_RATE, findDesign, withTimeline } from '@vhostscope/model';
import { openTrace } from '@vhostscope/trace';
import { completenessOf } from '../../src/completeness.ts';
import { ALL_HAZARDS, replayWith } from '../../src/replay-trace.ts';
import { reportDocument } from '../../src/report/report-document.ts';
import type { Report } from '../../src/report/report-schema.ts';

/** As `replay report --json` prints it. */
export async function reportOf(path: string, design = 'merged'): Promise<Report> {
  const trace = await openTrace(path);
  try {
    const found = findDesign(design);
    if (found === undefined) throw new Error(`no design ${design}`);
    const options = { design, order: 'auto' } as const;
    const replayed = replayWith(trace, found, options, undefined, ALL_HAZARDS, withTimeline);
    return reportDocument(trace, replayed, completenessOf(trace), {
      basis: { smap: undefined, calibrated: undefined },
      stormRate: DEFAULT_STORM_RATE,
      hazards: replayed.found,
      options: {},
    });
  } finally {
    trace.close();
  }
}

/** Markup, a replacement pattern, a mark that turns the direction of writing, and a control character. */
export const HOSTILE = `</script><script>hurt=1</script><img src=x onerror=hurt=1><!--$&\u202e\u0007`;

/** The report with hostile text wherever text can be: in all values, and in the names that hosts give. */
export function hostile(report: Report): Report {
  const spoil = (value: unknown): unknown => {
    if (typeof value === 'string') return /^\d+$/.test(value) ? value : `${value}${HOSTILE}`;
    if (Array.isArray(value)) return value.map(spoil);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, spoil(one)]));
  };
  const spoilNames = <Value>(record: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(record).map(([name, one]) => [`${name}${HOSTILE}`, one]));
  const spoilt = spoil(report) as Report;
  const { invalidations } = spoilt.timeline;
  spoilt.run.lost = { [HOSTILE]: '3' };
  spoilt.run.damage = [HOSTILE];
  spoilt.run.assumptions = [HOSTILE];
  spoilt.run.totals.reasons = spoilNames(spoilt.run.totals.reasons);
  spoilt.run.doubts = { [HOSTILE]: 7 };
  invalidations.series = spoilNames(invalidations.series);
  spoilt.info.host = {
    kernel: HOSTILE,
    architecture: HOSTILE,
    cpu: HOSTILE,
    bpftrace: HOSTILE,
    thp: HOSTILE,
    numaNodes: 1,
  };
  spoilt.info.probes = {
    detail: 'rounds',
    views: [{ what: HOSTILE, certainty: 'exact', by: [HOSTILE], note: HOSTILE }],
  };
  return spoilt;
}

function deviceIotlb(virtqueues: number): Report['run']['device_iotlb'] {
  const lookups = { hits: 900, misses: 100 };
  const counts = { misses: 2_000, updates: 2_000, invalidations: 40, answered: 1_999, storms: 3 };
  return {
    misses_told: true,
    virtqueues: Array.from({ length: virtqueues }, (_, id) => ({
      id,
      dev: 0,
      rounds: 1_000,
      skipped: 100,
      misses: { desc: 30, avail: 30, used: 40, buffer: 1_900 },
      meta: { desc: lookups, avail: lookups, used: lookups },
    })),
    devices: [{ dev: 0, ...counts, wait_mean: 12_345, wait_longest: 9_876_543 }],
    storms: [],
  };
}

/** The report with as many counts in its time line as there can be, none of them small. */
export function full(report: Report): Report {
  const bins = 2048;
  const virtqueues = 21;
  const series = (seed: number): number[] =>
    Array.from({ length: bins }, (_, bin) => 1_000 + ((bin * 7_919 + seed * 104_729) % 9_000));
  const [model] = report.run.virtqueues;
  if (model === undefined) throw new Error('the report has no virtqueue');
  const area = (seed: number) => ({
    hits: series(seed),
    fallbacks: series(seed + 1),
    iotlb: series(seed + 2),
    ambiguous: series(seed + 3),
  });
  const causes = ['unmap', 'clear', 'protection_vma', 'protection_page', 'soft_dirty', 'migrate'];
  return {
    ...report,
    run: {
      ...report.run,
      virtqueues: Array.from({ length: virtqueues }, (_, id) => ({ ...model, id })),
      device_iotlb: deviceIotlb(virtqueues),
      dirty_log: {
        virtqueues: Array.from({ length: virtqueues }, (_, id) => ({
          id,
          dev: 0,
          writes: 1_000,
          bits: 1_200,
          gup_calls: 1_201,
          gup_failures: 1,
          atomics: 3_600,
        })),
      },
    },
    timeline: {
      bin_ns: 2 ** 25,
      bins,
      span_ns: 2 ** 36,
      recordings: [{ at_ns: 0, first: '1' }],
      virtqueues: Array.from({ length: virtqueues }, (_, id) => ({
        id,
        areas: { desc: area(id), avail: area(id + 40), used: area(id + 80) },
      })),
      invalidations: {
        by: 'cause',
        series: Object.fromEntries(causes.map((cause, at) => [cause, series(at)])),
        over_rings: series(9),
      },
    },
  };
}
