/** A simulated execution as a stock host's recording shows it, and what it does not show: the decisions. */
import type { EventRecord } from './event-record.ts';

/** Process that owns all devices. */
export const PROCESS = 100;

/** Decisions (0 fallback, 1 hit, 2 device IOTLB) of the accesses to an area in a round, by design. */
export interface AreaTruth {
  readonly own: Set<number>;
  readonly other: Set<number>;
  /** Of designs with other rules, by name. */
  readonly designs: Map<string, Set<number>>;
}

export interface AccessTruth {
  readonly own: number;
  readonly other: number;
  readonly designs: ReadonlyMap<string, number>;
}

export class StockView {
  readonly events: EventRecord[] = [];
  /** By `round_end` event, by area. */
  readonly rounds: Map<EventRecord, AreaTruth[]> = new Map();
  /** Of each `access` event: what the design and the other one decided. */
  readonly accesses: AccessTruth[] = [];
  /** The recording has begun: nothing of what came before is seen. */
  isBegun: boolean;
  /** Nothing of what comes now is seen. */
  isOver = false;
  /** Virtqueues whose set-up was told. */
  readonly told: Set<number> = new Set();
  private readonly open: Map<number, AreaTruth[]> = new Map();

  constructor(isBegun: boolean) {
    this.isBegun = isBegun;
  }

  /** What comes now is in the recording. */
  get isSeen(): boolean {
    return this.isBegun && !this.isOver;
  }

  /** An access is made; `vq` where it is in a round of that virtqueue, which tells of it at its end. */
  note(area: number, decided: AccessTruth, vq: number | undefined): void {
    if (!this.isSeen) return;
    if (vq === undefined) {
      this.accesses.push(decided);
      return;
    }
    const truth = this.open.get(vq)?.[area];
    if (truth === undefined) return;
    truth.own.add(decided.own);
    truth.other.add(decided.other);
    for (const [design, decision] of decided.designs) {
      const decisions = truth.designs.get(design);
      if (decisions === undefined) truth.designs.set(design, new Set([decision]));
      else decisions.add(decision);
    }
  }

  begin(vq: number): void {
    if (!this.isSeen) return;
    const areas = Array.from({ length: 3 }, () => ({
      own: new Set<number>(),
      other: new Set<number>(),
      designs: new Map<string, Set<number>>(),
    }));
    this.open.set(vq, areas);
  }

  end(vq: number, event: EventRecord | undefined): void {
    const areas = this.open.get(vq);
    if (areas !== undefined && event !== undefined) this.rounds.set(event, areas);
    this.open.delete(vq);
  }
}
