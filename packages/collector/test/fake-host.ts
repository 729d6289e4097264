/** A host on which a fake bpftrace runs (`fake-bpftrace.mjs`). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KIND } from '@vhostscope/model';
import { createBootClock, type BootClock } from '../src/attach/boot-clock.ts';
import { ALL_PRIVILEGES } from '../src/privileges/recorder-privileges.ts';
import type { RecordedHost } from '../src/attach/recorded-host.ts';

/** What the fake bpftrace is to do. */
export interface Scenario {
  readonly attachMs?: number;
  /** Where it says that its probes are attached; false: never. */
  readonly ready?: 'stderr' | 'stdout' | false;
  readonly cpus?: number;
  /** Rounds of every CPU each 20 ms. */
  readonly perTick?: number;
  /** How long a line waits before it is printed. */
  readonly holdMs?: number;
  /** Every so manieth line of a CPU is counted and never printed. */
  readonly loseEvery?: number;
  /** Whether it says so itself, too. */
  readonly tellLost?: boolean;
  /** A CPU without heartbeats. */
  readonly silentCpu?: number;
  /** Ends by itself, after it said that it is ready, or from its start when it never does. */
  readonly exitAfterMs?: number;
  readonly exitCode?: number;
  readonly stderr?: string;
  /** Lines printed as they are. */
  readonly extra?: readonly string[];
  readonly onInterrupt?: 'end' | 'ignore';
  /** Devices of two virtqueues that are open all the time, and how many of them close, and open anew, each 20 ms. */
  readonly devices?: number;
  readonly churn?: number;
  /** From then on there are five hundred ranges a second over a ring of the first device. */
  readonly stormAfterMs?: number;
  /** The machine sleeps for so long, at a moment of CLOCK_MONOTONIC, ns. */
  readonly sleep?: { readonly at: string; readonly forMs: number };
  /** Number of a capability without which it attaches nothing. */
  readonly wantsCapability?: number;
  /** File that gets what was emitted. */
  readonly truth?: string;
}

/** What stands in `truth`. */
export interface Truth {
  /** Times of the rounds that were printed, by CPU. */
  readonly emitted: readonly (readonly string[])[];
  readonly lost: number;
  /** Devices that were ever opened. */
  readonly opened: number;
}

const STATE = {
  name: 'state',
  kinds: [KIND.virtqueue, KIND.addresses, KIND.unmap, KIND.reset, KIND.notifier, KIND.iotlb],
  field: 'emittedState',
} as const;

/** What the machine's clock shows when it sleeps in between. */
function sleepingClock({ at, forMs }: NonNullable<Scenario['sleep']>): () => BootClock {
  return () =>
    createBootClock(() => {
      const text = readFileSync('/proc/uptime', 'latin1');
      if (process.hrtime.bigint() < BigInt(at)) return text;
      const hundredths = String(Number(text.split(' ')[0]?.replace('.', '')) + forMs / 10);
      return `${hundredths.slice(0, -2)}.${hundredths.slice(-2)} 0.00\n`;
    });
}

export function fakeHost(scenario: Scenario): RecordedHost {
  const cpus = scenario.cpus ?? 2;
  return {
    plan: async () =>
      Promise.resolve({
        command: {
          recorder: 'bpftrace',
          path: join(import.meta.dirname, 'fake-bpftrace.mjs'),
          args: [],
          env: { FAKE_BPFTRACE: JSON.stringify(scenario) },
          privileges: ALL_PRIVILEGES,
          types: undefined,
          program: 'BEGIN { printf("# vhostscope 1\\n"); }',
        },
        lookedAtPages: [0, 0, 0],
        classes: [
          ...(scenario.devices === undefined ? [] : [STATE]),
          { name: 'rounds', kinds: [KIND.round], field: 'emittedRounds' },
          { name: 'ranges', kinds: [KIND.range_start, KIND.range_end], field: 'emittedRanges' },
        ],
        header: {},
        remarks: [],
      }),
    user: async () => Promise.reject(new Error('there are no users')),
    vhostOwners: () => [],
    patienceMs: 1000,
    ...(scenario.sleep && { createClock: sleepingClock(scenario.sleep) }),
    onlineCpus: () => Array.from({ length: cpus }, (_, cpu) => cpu),
  };
}
