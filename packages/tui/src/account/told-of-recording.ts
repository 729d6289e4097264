/** What a trace tells of its own recording: events by kind, losses, ranges that it left out. */
import { commAt, EVENT_NAMES, KIND, wordsAt, type EventBatch } from '@vhostscope/model';

export interface ToldOfRecording {
  /** Events by kind code, accesses among them. */
  readonly byKind: Float64Array;
  /** By who lost them. */
  readonly lost: ReadonlyMap<string, bigint>;
  filtered(): readonly (readonly [what: string, count: number])[];
  counts(): readonly (readonly [event: string, count: number])[];
  noteLoss(batch: EventBatch, i: number): void;
  /** HOT: ten times a second of each CPU. */
  noteHeartbeat(batch: EventBatch, i: number): void;
  /** A recording begins: its heartbeats count from 0. */
  begin(): void;
}

/** Words about a recording, and no events. */
const MARKS: ReadonlySet<number> = new Set([KIND.recording, KIND.virtqueue, KIND.recording_end]);

/** Losses told apart by who lost; there are a handful. */
const MOST_LOSERS = 64;

export function createToldOfRecording(): ToldOfRecording {
  const byKind = new Float64Array(256);
  const lost = new Map<string, bigint>();
  /** By CPU: in memory of no device, and beside all rings. */
  let filtered = new Map<number, [foreign: number, elsewhere: number]>();
  const before: [number, number] = [0, 0];
  const sum = (): [number, number] => {
    const all: [number, number] = [...before];
    for (const [foreign, elsewhere] of filtered.values()) {
      all[0] += foreign;
      all[1] += elsewhere;
    }
    return all;
  };
  return {
    byKind,
    lost,
    filtered: () => {
      const [foreign, elsewhere] = sum();
      return [
        ['ranges in memory of no device', foreign],
        ['ranges beside all rings', elsewhere],
      ];
    },
    counts: () => {
      const found: [string, number][] = [];
      for (const [kind, name] of EVENT_NAMES.entries())
        if (name !== undefined && byKind[kind] > 0 && !MARKS.has(kind))
          found.push([name, byKind[kind]]);
      return found.toSorted(([, a], [, b]) => b - a);
    },
    noteLoss: ({ detail, details }, i) => {
      const row = detail[i];
      const by = commAt(details.note, row);
      if (!lost.has(by) && lost.size >= MOST_LOSERS) return;
      lost.set(by, (lost.get(by) ?? 0n) + wordsAt(details.lost, row));
    },
    noteHeartbeat: ({ cpu, detail, details }, i) => {
      const row = detail[i];
      const { filteredForeign: foreign, filteredElsewhere: elsewhere } = details;
      const told = filtered.get(cpu) ?? [0, 0];
      told[0] = foreign[2 * row + 1] * 2 ** 32 + foreign[2 * row];
      told[1] = elsewhere[2 * row + 1] * 2 ** 32 + elsewhere[2 * row];
      filtered.set(cpu, told);
    },
    begin: () => {
      [before[0], before[1]] = sum();
      filtered = new Map();
    },
  };
}
