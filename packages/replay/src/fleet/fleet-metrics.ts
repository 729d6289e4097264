/** The figures of `replay fleet` as OpenMetrics; docs/fleet-metrics.md says what they are. */
import type { Decisions } from '../run-result.js';
import { readVersion } from '../version.js';
import {
  replayedOf,
  type FleetResult,
  type FleetRunResult,
  type ReplayedRun,
} from './fleet-result.js';
import { openMetricsText, type Labels, type MetricFamily } from './open-metrics.js';

export function fleetMetrics(result: FleetResult): string {
  return openMetricsText(fleetFamilies(result));
}

export function fleetFamilies({ runs, designs }: FleetResult): MetricFamily[] {
  const replayed = replayedOf(runs);
  return [
    {
      name: 'vhostscope_replay',
      type: 'info',
      help: 'The program that replayed the runs.',
      samples: [{ labels: { version: readVersion() }, value: 1 }],
    },
    {
      name: 'vhostscope_run_state',
      type: 'stateset',
      help: 'What is known of a run: complete as counted in the kernel, incomplete where events are known to be missing, uncounted where nobody counted.',
      samples: runs.flatMap((run) =>
        STATES.map((state) => ({
          labels: { ...ofRun(run), vhostscope_run_state: state },
          value: stateOf(run) === state ? 1 : 0,
        })),
      ),
    },
    {
      name: 'vhostscope_run_recorded_seconds',
      type: 'gauge',
      unit: 'seconds',
      help: 'From the first event of a recording to its last, over the recordings of a run.',
      samples: replayed.map((run) => ({
        labels: ofRun(run),
        value: inSeconds(run.recorded_ns),
      })),
    },
    {
      name: 'vhostscope_run_lost_events',
      type: 'counter',
      unit: 'events',
      help: 'Events that are known to be missing from a run, by who lost them.',
      samples: replayed.flatMap((run) =>
        Object.entries(run.comparison.lost).map(([by, value]) => ({
          labels: { ...ofRun(run), by },
          value,
        })),
      ),
    },
    {
      name: 'vhostscope_virtqueue_rounds',
      type: 'counter',
      unit: 'rounds',
      help: 'Rounds of the vhost worker.',
      samples: replayed.flatMap((run) =>
        run.virtqueues.map((virtqueue) => ({
          labels: { ...ofRun(run), ...ofVirtqueue(virtqueue) },
          value: virtqueue.rounds,
        })),
      ),
    },
    {
      name: 'vhostscope_virtqueue_accesses',
      type: 'counter',
      unit: 'accesses',
      help: 'Accesses of ring metadata by what they would have become under a design.',
      samples: perDesign(replayed, designs, (labels, decisions) =>
        DECISIONS.map(([decision, count]) => ({
          labels: { ...labels, decision, counts: decisions.counts },
          value: decisions[count],
        })),
      ),
    },
    {
      name: 'vhostscope_virtqueue_fallback_accesses',
      type: 'counter',
      unit: 'accesses',
      help: 'Accesses that would have fallen back, by reason.',
      samples: perDesign(replayed, designs, (labels, { reasons, counts }) =>
        Object.entries(reasons).map(([reason, value]) => ({
          labels: { ...labels, reason, counts },
          value,
        })),
      ),
    },
    ...stormFamilies(replayed, designs),
  ];
}

function stormFamilies(runs: readonly ReplayedRun[], designs: readonly string[]): MetricFamily[] {
  const [design] = designs;
  return [
    {
      name: 'vhostscope_run_storms',
      type: 'counter',
      unit: 'storms',
      help: 'Storms of invalidations.',
      samples: runs.map((run) => ({ labels: ofRun(run), value: run.storms.storms })),
    },
    {
      name: 'vhostscope_storm_ranges',
      type: 'counter',
      unit: 'ranges',
      help: 'Ranges over rings in storms, by what the memory manager calls their cause.',
      samples: runs.flatMap((run) =>
        Object.entries(run.storms.causes).map(([cause, { ranges }]) => ({
          labels: { ...ofRun(run), cause },
          value: ranges,
        })),
      ),
    },
    {
      name: 'vhostscope_storm_accesses',
      type: 'counter',
      unit: 'accesses',
      help: 'Accesses in storms, of the devices that these came over, under the first design.',
      samples: runs.flatMap((run) =>
        design === undefined || run.storms.storms === 0
          ? []
          : DECISIONS.map(([decision, count]) => ({
              labels: { ...ofRun(run), design, decision },
              value: run.storms[count],
            })),
      ),
    },
  ];
}

const DECISIONS = [
  ['hit', 'hits'],
  ['fallback', 'fallbacks'],
  ['iotlb', 'iotlb'],
  ['ambiguous', 'ambiguous'],
] as const;

const STATES = [
  'complete',
  'incomplete',
  'uncounted',
  'unreadable',
  'not answered',
  'interrupted',
] as const;

function stateOf(run: FleetRunResult): (typeof STATES)[number] {
  if (run.status !== 'replayed') return run.status;
  const { complete } = run.comparison;
  return complete === null ? 'uncounted' : complete ? 'complete' : 'incomplete';
}

function ofRun({ host, run }: Pick<FleetRunResult, 'host' | 'run'>): Labels {
  return { host, run };
}

/** A device that was not seen has no label: an empty one says the same. */
function ofVirtqueue({ id, dev }: ReplayedRun['virtqueues'][number]): Labels {
  return { ...(dev !== null && { device: String(dev) }), virtqueue: String(id) };
}

/** ns of a trace are more than a double counts exactly only after a hundred days. */
function inSeconds(ns: string): number {
  return Number(ns) / 1e9;
}

function perDesign(
  runs: readonly ReplayedRun[],
  designs: readonly string[],
  samplesOf: (labels: Labels, decisions: Decisions) => MetricFamily['samples'],
): MetricFamily['samples'] {
  return runs.flatMap((run) =>
    run.virtqueues.flatMap((virtqueue) =>
      designs.flatMap((design, at) => {
        const decisions = virtqueue.designs[at];
        if (decisions === undefined) return [];
        return samplesOf({ ...ofRun(run), ...ofVirtqueue(virtqueue), design }, decisions);
      }),
    ),
  );
}
