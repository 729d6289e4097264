/** What a trace of the test host holds of its rings, read as any program would. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ACCESSORS,
  COUNTER_FIELDS,
  EVENT_NAMES,
  INVALIDATION_CLASSES,
  KIND,
  readRingWord,
} from '@vhostscope/model';
import { openTrace, visitTrace } from '@vhostscope/trace';
import type { Host } from '../../src/index.js';

export interface RecordedRing {
  place: number;
  owner: number;
  /** 1 when its address space had notifiers. */
  notified: number;
  num: number;
  rounds: number;
  heads: number;
  used: number;
  /** Lengths of the first chains of the rounds. */
  chains: Set<number>;
  /** Address of each area, as told last. */
  areas: bigint[];
  /** By accessor: told one by one, or counted. */
  accesses: Record<string, number>;
}

/** What the memory manager told the notifiers of a process. */
export interface RecordedRange {
  readonly owner: number;
  readonly start: bigint;
  readonly end: bigint;
  readonly cause: number;
  /** Undefined where the stack of the range is not in the trace, in an event before it. */
  readonly class: string | undefined;
}

export interface RecordedTrace {
  readonly ranges: readonly RecordedRange[];
  /** In the order of their places in their devices. */
  readonly rings: readonly RecordedRing[];
  /** Events by name. */
  readonly events: Readonly<Record<string, number>>;
  /** Beginnings of rounds, ns since the host's boot, in their order. */
  readonly rounds: readonly bigint[];
  /** Names of processes that invalidated. */
  readonly comms: ReadonlySet<string>;
  readonly damage: readonly string[];
}

/** @param path in the guest */
export async function readRecordedTrace(host: Host, path: string): Promise<RecordedTrace> {
  const folder = mkdtempSync(join(tmpdir(), 'vhostscope-host-test-'));
  const copy = join(folder, 'trace.arrows');
  writeFileSync(copy, await host.readFile(path));
  try {
    return await readTraceFile(copy);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** @param path on this machine, such as in the folder that both sides write */
export async function readTraceFile(path: string): Promise<RecordedTrace> {
  const trace = await openTrace(path);
  const rings = new Map<number, RecordedRing>();
  const events: Record<string, number> = {};
  const comms = new Set<string>();
  const ranges: RecordedRange[] = [];
  const classes = new Map<bigint, string>();
  const roundTimes: bigint[] = [];
  try {
    visitTrace(trace.fd, trace.index, (batch, from, to) => {
      const { kind, time, vq, detail, details } = batch;
      const wide = (values: Uint32Array, at: number): bigint =>
        (BigInt(values[2 * at + 1] ?? 0) << 32n) | BigInt(values[2 * at] ?? 0);
      for (let row = from; row < to; row++) {
        const code = kind[row] ?? 0;
        const name = EVENT_NAMES[code] ?? '';
        events[name] = (events[name] ?? 0) + 1;
        const where = detail[row] ?? 0;
        const ring = ringOf(rings, vq[row] ?? 0);
        switch (code) {
          case KIND.virtqueue:
            ring.place = details.place[where] ?? -1;
            ring.owner = details.owner[where] ?? -1;
            ring.notified = details.notified[where] ?? -1;
            break;
          case KIND.addresses:
            ring.areas[details.area[where] ?? 0] = wide(details.address, where);
            break;
          case KIND.round:
            roundTimes.push(wide(time, row));
            break;
          case KIND.access: {
            const accessor = ACCESSORS[batch.accessor[row] ?? 0] ?? '';
            ring.accesses[accessor] = (ring.accesses[accessor] ?? 0) + (batch.n[row] ?? 0);
            break;
          }
          case KIND.counted:
            for (const [index, field] of COUNTER_FIELDS.entries())
              ring.accesses[ACCESSORS[index + 1] ?? ''] = details[field][where] ?? 0;
            break;
          case KIND.round_end: {
            const before = readRingWord(
              details.ringBefore[2 * where] ?? 0,
              details.ringBefore[2 * where + 1] ?? 0,
            );
            const after = readRingWord(
              details.ringAfter[2 * where] ?? 0,
              details.ringAfter[2 * where + 1] ?? 0,
            );
            ring.rounds++;
            ring.heads += (after.lastAvailIdx - before.lastAvailIdx) & 0xffff;
            ring.used += (after.lastUsedIdx - before.lastUsedIdx) & 0xffff;
            ring.num = details.num[where] ?? 0;
            const chain = details.chain[where] ?? 0;
            if (chain > 0) ring.chains.add(chain);
            break;
          }
          case KIND.stack:
            classes.set(
              wide(details.stack, where),
              INVALIDATION_CLASSES[details.class[where] ?? -1] ?? '',
            );
            break;
          case KIND.core_range_start: {
            ranges.push({
              owner: details.owner[where] ?? -1,
              start: wide(details.start, where),
              end: wide(details.end, where),
              cause: details.cause[where] ?? -1,
              class: classes.get(wide(details.stack, where)),
            });
            const { offsets, bytes } = details.comm;
            const comm = Buffer.from(bytes.subarray(offsets[where], offsets[where + 1])).toString();
            // bpftrace prints all 16 bytes of it.
            comms.add(comm.replace(/(?:\\x00)+$/, ''));
            break;
          }
          default:
        }
      }
    });
  } finally {
    trace.close();
  }
  return {
    rings: [...rings.values()]
      .filter(({ rounds, areas }) => rounds > 0 || areas.length > 0)
      .toSorted((a, b) => a.place - b.place),
    events,
    rounds: roundTimes,
    comms,
    ranges,
    damage: trace.damage,
  };
}

function ringOf(rings: Map<number, RecordedRing>, vq: number): RecordedRing {
  let ring = rings.get(vq);
  if (ring === undefined) {
    ring = {
      place: -1,
      owner: -1,
      notified: -1,
      num: 0,
      rounds: 0,
      heads: 0,
      used: 0,
      chains: new Set(),
      areas: [],
      accesses: {},
    };
    rings.set(vq, ring);
  }
  return ring;
}
