/**
 * The engine: feeds events, in time order, through the state machine of reference §1 under the
 * switches of a design, and counts what every access and every attempt to map would have become.
 *
 * Two orders. In `effects` order the recorded `effect_start`/`effect_end` events say when a callback
 * took effect, and the state is exact (`effects-order.ts`). In `ranges` order only the entry of
 * callbacks is known; the state is then kept as intervals, and what falls into them is ambiguous
 * (`ranges-order.ts`; `deferred-maps.ts` for designs whose maps outlast the round). Neither reads what the kernel was seen to decide, except to compare it with the
 * prediction. Two exceptions: recorded attempts may settle maps when asked to (`observed-attempts.ts`),
 * and an observed device IOTLB is an input, as no design has a say in it.
 */
import { NEWEST_RULES, type AccessorRules } from './accessor-rules/rule-sets.js';
import type { Preemption } from './callbacks.js';
import { consumeEvents } from './consume-events.js';
import type { Design } from './designs.js';
import { missingEffects } from './effects-order.js';
import { endRecording, know } from './engine-recording.js';
import {
  createEngineState,
  type EngineState,
  type HostKind,
  type Mismatch,
  type Order,
  type RoundAccesses,
} from './engine-state.js';
import type { EventBatch } from './event-batch.js';
import { inspectVirtqueue, sureCount, type SureCount, type VirtqueueSnapshot } from './inspect.js';
import { PENDING } from './outcome.js';
import { ACCESSOR_SPAN, PAGE_BYTES } from './ring.js';
import { USUAL_DELAYS, type Delays } from './stock-host/page-evidence.js';
import type { Tallies } from './tallies.js';
import { keepTallies, takeBack, type KeptTallies, type Uncounted } from './tallies-span.js';

export interface EngineOptions {
  readonly design: Design;
  readonly order: Order;
  /** How the recording kernel preempts; matters in ranges order only. Default `unknown`. */
  readonly preemption?: Preemption;
  /**
   * In ranges order, let recorded attempts settle maps and counts. The recording kernel must have run
   * the design, and all attempts must be recorded (`Tallies.attempts.missing`). Default false.
   */
  readonly useObservations?: boolean;
  /** What was recorded; see HostKind. Default `direct-map`. */
  readonly host?: HostKind;
  /**
   * Whether the recorder left ranges out that lie away from the rings. A design that every range of the process
   * concerns is then ambiguous. Default: true of a stock host only.
   */
  readonly hasFilteredRanges?: boolean;
  /** By whose rules a stock host's rounds access the ring. Default: the newest. */
  readonly rules?: AccessorRules;
  /** How a stock host's recording tells what a round accessed; see RoundAccesses. Default `derived`. */
  readonly roundAccesses?: RoundAccesses;
  /** What a stock host's recording does not tell the end of. */
  readonly delays?: Delays;
  /** Page size of the host that the design is to run on: at least that of the recorded one, which is the default. */
  readonly pageBytes?: number;
}

export interface Engine {
  readonly design: Design;
  readonly order: Order;
  readonly host: HostKind;
  /** Bytes of a page where the design runs. */
  readonly pageBytes: number;
  /** Whether recorded attempts settle maps and counts. */
  readonly usesObservations: boolean;
  readonly tallies: Tallies;
  /** The first predictions that the kernel contradicts. */
  readonly mismatches: readonly Mismatch[];
  /** What is known of a virtqueue at this point; copies, so it costs nothing that is not asked. */
  inspect(vq: number): VirtqueueSnapshot;
  /** The map of an area as an outcome, without what attempts still open may change. */
  mapOf(vq: number, area: number): number;
  /** invalidate_count of a virtqueue, and whether no effect of a callback that has returned is due. */
  countOf(vq: number): SureCount;
  /**
   * What an access becomes now, as an outcome; right after an access of that accessor was consumed: what it
   * has become. Of a stock host the tallies alone tell that: its accesses are judged when their round ends.
   */
  outcomeOf(vq: number, accessor: number): number;
  /** Why the map of an area is ambiguous, see DOUBT_MEANING; of use only where it is. */
  doubtOf(vq: number, area: number): number;
  /** Whether invalidate_count is surely 0. */
  isCountZero(vq: number): boolean;
  /**
   * Calls back with each virtqueue whose maps may have changed since the last time. A recording that begins,
   * and a loss, change all of them and tell of none.
   */
  visitTouched(visit: (vq: number) => void): void;
  /** Effects that the ranges seen so far call for, and that were not recorded (0 in a whole trace). */
  missingEffects(): number;
  /**
   * Events `from` to `to` (exclusive) of a batch, which follow in time what came before. HOT:
   * allocates nothing per event. Benchmark: `npm run bench`.
   */
  consume(batch: EventBatch, from: number, to: number): void;
  /** The trace has ended: attempts still open are judged. */
  finish(): void;
  /** From here on events change the state and are not counted; or are counted again. */
  count(isCounting: boolean): void;
  /** What came while it did not count; see Uncounted. */
  readonly uncounted: Readonly<Uncounted>;
}

export function createEngine(options: EngineOptions): Engine {
  return createRunningEngine(options).engine;
}

/** An engine with what it holds, for those in this package who drive several. */
export function createRunningEngine({
  design,
  order,
  preemption = 'unknown',
  useObservations = false,
  host = 'direct-map',
  hasFilteredRanges = host === 'stock',
  rules = NEWEST_RULES,
  roundAccesses = 'derived',
  delays = USUAL_DELAYS,
  pageBytes = PAGE_BYTES,
}: EngineOptions): { readonly engine: Engine; readonly state: EngineState } {
  // Recorded effects belong to the recording kernel; a design with other rules has others.
  const hasEffects = host === 'direct-map' && design.callbackRules === 'direct-map';
  const used = hasEffects ? order : 'ranges';
  const usesObservations =
    useObservations &&
    used === 'ranges' &&
    design.callbackRules === 'direct-map' &&
    host === 'direct-map';
  const engine = createEngineState(
    design,
    used,
    preemption,
    usesObservations,
    host,
    rules,
    host === 'stock' ? roundAccesses : 'derived',
    delays,
    pageBytes,
    hasFilteredRanges,
  );
  const uncounted: Uncounted = { overlapping: 0, disagree: 0 };
  let kept: KeptTallies | undefined;
  const count = (isCounting: boolean): void => {
    const { tallies, mismatches } = engine;
    if (!isCounting) kept ??= keepTallies(tallies, mismatches);
    else if (kept !== undefined) {
      takeBack(tallies, mismatches, kept, uncounted);
      kept = undefined;
    }
  };
  const handle: Engine = {
    design,
    order: engine.order,
    host,
    pageBytes: engine.pageBytes,
    usesObservations,
    tallies: engine.tallies,
    mismatches: engine.mismatches,
    inspect: (vq) => {
      know(engine, vq);
      return inspectVirtqueue(engine, vq);
    },
    mapOf: (vq, area) => {
      const { virtqueues } = engine;
      const map = vq < virtqueues.size ? virtqueues.map[4 * vq + area] : virtqueues.firstMap;
      return map & (PENDING - 1);
    },
    countOf: (vq) => sureCount(engine, vq),
    outcomeOf: (vq, accessor) => {
      const { virtqueues } = engine;
      const found =
        vq < virtqueues.size
          ? virtqueues.effective[ACCESSOR_SPAN * vq + accessor]
          : virtqueues.firstMap;
      return found & (PENDING - 1);
    },
    isCountZero: (vq) =>
      vq < engine.virtqueues.size &&
      engine.virtqueues.countLow[vq] === 0 &&
      engine.virtqueues.countHigh[vq] === 0,
    doubtOf: (vq, area) =>
      vq < engine.virtqueues.size ? engine.virtqueues.doubt[4 * vq + area] : 0,
    visitTouched: (visit) => {
      const { virtqueues } = engine;
      for (let k = 0; k < virtqueues.touchedCount; k++) {
        const vq = virtqueues.touched[k];
        virtqueues.isTouched[vq] = 0;
        visit(vq);
      }
      virtqueues.touchedCount = 0;
    },
    missingEffects: () => missingEffects(engine),
    consume: (batch, from, to) => consumeEvents(engine, batch, from, to),
    finish: () => {
      endRecording(engine);
      count(true);
    },
    count,
    uncounted,
  };
  return { engine: handle, state: engine };
}
