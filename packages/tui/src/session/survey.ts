/**
 * Goes once through a finished trace before it is shown: which order a design is to be judged by, which
 * virtqueues transmit, and when there were storms, is known only at its end.
 */
import {
  createEngine,
  createStorms,
  KIND,
  type EngineOptions,
  type EventBatch,
  type Storm,
} from '@vhostscope/model';
import type { ReplayPlan } from '@vhostscope/replay';
import { createLiveMerge } from '@vhostscope/trace';
import { createVirtqueueList } from '../account/virtqueue-list.js';
import type { SourceTrace } from '../source/source.js';

/** How a design is judged. */
export interface Judgement {
  readonly engine: EngineOptions;
  readonly order: string;
  readonly plan: ReplayPlan;
}

export interface Surveyed {
  readonly judgements: readonly Judgement[];
  readonly storms: readonly Storm[];
  readonly transmitting: ReadonlySet<number>;
}

export interface Survey {
  /** How far it is, 0 to 1. */
  readonly progress: number;
  /** Goes on until the deadline, ms. Returns what was found, once all was seen. */
  advance(deadline: number): Surveyed | undefined;
}

const AT_ONCE = 1 << 16;

/** @param plans of the designs that are to be judged, one at least */
export function createSurvey(
  { bytes, index }: SourceTrace,
  plans: readonly [ReplayPlan, ...ReplayPlan[]],
  stormRate: number,
): Survey {
  const merge = createLiveMerge(bytes, index);
  const pairs = plans.map((plan) => ({
    plan,
    ranges: createEngine(plan.ranges),
    effects: plan.effects === undefined ? undefined : createEngine(plan.effects),
  }));
  const engines = pairs.flatMap(({ ranges, effects }) =>
    effects === undefined ? [ranges] : [ranges, effects],
  );
  const found: Storm[] = [];
  const { host } = plans[0].recorded;
  const storms = createStorms({ rate: stormRate, host, onOver: (storm) => found.push(storm) });
  const virtqueues = createVirtqueueList();
  const all = countEvents(index);
  let recording = -1;
  let events = 0;
  let last = 0n;

  const consume = (batch: EventBatch, from: number, to: number): void => {
    for (const engine of engines) engine.consume(batch, from, to);
    const { kind } = batch;
    for (let i = from; i < to; i++) {
      if (storms.wants[kind[i]] === 0) continue;
      storms.consume(batch, i);
      virtqueues.note(batch, i, Math.max(0, recording));
    }
  };
  const visitor = {
    words: (batch: EventBatch, from: number, to: number): void => {
      if (batch.kind[from] === KIND.recording) recording++;
      consume(batch, from, to);
    },
    events: (batch: EventBatch, from: number, to: number): number => {
      consume(batch, from, to);
      events += to - from;
      last = (BigInt(batch.time[2 * to - 1]) << 32n) | BigInt(batch.time[2 * to - 2]);
      return to;
    },
  };

  return {
    get progress() {
      return all === 0 ? 1 : events / all;
    },
    advance: (deadline) => {
      const limits = { before: undefined, events: AT_ONCE, now: 0, isOver: true };
      while (merge.advance(limits, visitor) !== 'over') {
        if (performance.now() >= deadline) return undefined;
      }
      for (const engine of engines) engine.finish();
      storms.active(last);
      storms.finish();
      return {
        judgements: pairs.map(({ plan, ranges, effects }) => {
          const { order, orderReason } = plan.choose(ranges, effects);
          const engine =
            order === 'effects' && plan.effects !== undefined ? plan.effects : plan.ranges;
          return { engine, order: `${order}: ${orderReason}`, plan };
        }),
        storms: found.toSorted((a, b) => a.number - b.number),
        transmitting: virtqueues.transmitting(engines[0].tallies),
      };
    },
  };
}

function countEvents({ recordings }: SourceTrace['index']): number {
  let rows = 0;
  for (const { events } of recordings)
    for (const places of events.values()) for (const place of places) rows += place.rows;
  return rows;
}
