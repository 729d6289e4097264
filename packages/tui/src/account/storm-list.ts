/** The storms of a trace up to a moment, with what the model's finder leaves to others. */
import {
  createStorms,
  type Engine,
  type EventBatch,
  type HostKind,
  type Storm,
} from '@vhostscope/model';
import { sampleStorm } from '@vhostscope/replay';

/** Storms that are kept; of more, the oldest are forgotten. */
const MOST_STORMS = 1000;
/** Seconds of a storm of which the ranges are told, the last ones. */
const MOST_BARS = 60;

export interface SeenStorm {
  readonly storm: Storm;
  readonly perSecond: readonly number[];
  /** Which virtqueues transmit was found out while it went on: the packets in it are not known. */
  readonly isUnsure: boolean;
}

export interface StormList {
  readonly wants: Uint8Array;
  consume(batch: EventBatch, i: number): void;
  /** Those up to a moment, ns of the clock; the newest first. */
  until(time: bigint): SeenStorm[];
  classOf(recording: number, stack: bigint): number | undefined;
  /** Other virtqueues transmit from now on. */
  transmit(virtqueues: ReadonlySet<number>, time: bigint): void;
  finish(): void;
}

/** @param perSecond ranges over rings of a device by second, between two times of the clock */
export function createStormList(
  host: HostKind,
  rate: number,
  engine: Engine,
  perSecond: (dev: number, from: bigint, to: bigint) => readonly number[],
): StormList {
  const over: SeenStorm[] = [];
  let transmits: ReadonlySet<number> = new Set();
  let changed: bigint | undefined;
  const seen = (storm: Storm): SeenStorm => ({
    storm,
    perSecond: perSecond(storm.dev, latestBegin(storm), storm.end),
    isUnsure: changed !== undefined && storm.begin <= changed,
  });
  const storms = createStorms({
    rate,
    host,
    sample: (virtqueues) => sampleStorm(engine, transmits, virtqueues),
    onOver: (storm) => {
      over.push(seen(storm));
      if (over.length > MOST_STORMS) over.shift();
    },
  });
  return {
    wants: storms.wants,
    consume: (batch, i) => storms.consume(batch, i),
    until: (time) => {
      const active = storms.active(time).map(seen);
      return [...over, ...active].toSorted((a, b) => b.storm.number - a.storm.number);
    },
    classOf: (recording, stack) => storms.classOf(recording, stack),
    transmit: (virtqueues, time) => {
      transmits = virtqueues;
      changed = time;
    },
    finish: () => storms.finish(),
  };
}

function latestBegin({ begin, end }: Storm): bigint {
  const bars = end - BigInt(MOST_BARS - 1) * 1_000_000_000n;
  return begin > bars ? begin : bars;
}
