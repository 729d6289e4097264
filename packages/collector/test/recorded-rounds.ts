/** What a recording of the fake bpftrace holds. */
import { readFileSync } from 'node:fs';
import { KIND } from '@vhostscope/model';
import {
  countsByName,
  openTrace,
  recordingCountsSchema,
  visitTrace,
  type RecordingCounts,
} from '@vhostscope/trace';
import type { Truth } from './fake-host.ts';

export interface RecordedRounds {
  /** Times of the rounds, by CPU, in order. */
  readonly rounds: readonly (readonly bigint[])[];
  /** Events by name, as they stand in the trace. */
  readonly events: Readonly<Record<string, number>>;
  /** Times of `addresses` events. */
  readonly addresses: readonly bigint[];
  /** `lost` events. */
  readonly losses: number;
  /** What the end of the recording says; undefined when it has none. */
  readonly end: RecordingCounts | undefined;
  readonly damage: readonly string[];
}

export async function recordedRounds(path: string): Promise<RecordedRounds> {
  const trace = await openTrace(path);
  try {
    const rounds: bigint[][] = [];
    const byKind = new Float64Array(256);
    const addresses: bigint[] = [];
    let losses = 0;
    let end: RecordingCounts | undefined;
    visitTrace(trace.fd, trace.index, (batch, from, to) => {
      const { kind, cpu, time, detail, details } = batch;
      for (let row = from; row < to; row++) {
        if (kind[row] === KIND.lost) losses++;
        byKind[kind[row]]++;
        const at = (BigInt(time[2 * row + 1]) << 32n) | BigInt(time[2 * row]);
        if (kind[row] === KIND.round) (rounds[cpu] ??= []).push(at);
        if (kind[row] === KIND.addresses) addresses.push(at);
        if (kind[row] === KIND.recording_end) {
          const { offsets, bytes } = details.note;
          const text = detail[row];
          const note = Buffer.from(bytes.subarray(offsets[text], offsets[text + 1])).toString();
          end = recordingCountsSchema.parse(JSON.parse(note));
        }
      }
    });
    const events = countsByName(byKind);
    for (const mark of ['recording', 'virtqueue', 'recording_end']) delete events[mark];
    return { rounds, events, addresses, losses, end, damage: trace.damage };
  } finally {
    trace.close();
  }
}

/** Rounds that the fake bpftrace emitted, by CPU, between the first and the last of those recorded. */
export function emittedMeanwhile(truth: string, rounds: RecordedRounds['rounds']): bigint[][] {
  const { emitted } = JSON.parse(readFileSync(truth, 'utf8')) as Truth;
  return rounds.map((recorded, cpu) =>
    (emitted[cpu] ?? [])
      .map(BigInt)
      .filter((time) => time >= (recorded[0] ?? 0n) && time <= (recorded.at(-1) ?? 0n)),
  );
}
