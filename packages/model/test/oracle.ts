/**
 * The slow, obvious truth: what a design decides, given a list of events in the order in which they
 * took effect. `effect_start` and `effect_end` are the instants of the callbacks' effects.
 *
 * Never read: `observed` 0 and 1, `invalidateCount`, `cleared`, `mask`, and `result` -14 (its own
 * count tells). §: the reference of kernel rules (vhost-metadata.md).
 */
import { bigintOf, numberOf, type EventRecord } from './event-record.ts';

export type OracleDesign = 'merged' | 'fixes-v5' | 'copy';
export type AccessVerdict = 'hit' | 'fallback' | 'iotlb' | 'ambiguous';
/** `unknown`: the design would not have tried here, or how its try would have ended is not known. */
export type AttemptVerdict =
  | 'refused'
  | 'built'
  | 'gup_short'
  | 'not_contiguous'
  | 'no_memory'
  | 'unknown';

export interface OracleResult {
  /** One for each `access` event, in the order of the list. */
  readonly accesses: AccessVerdict[];
  /** One for each `prefetch` event, in the order of the list. */
  readonly attempts: AttemptVerdict[];
  /** Accesses weigh `n`, attempts weigh 1. */
  readonly totals: Record<AccessVerdict | AttemptVerdict, bigint>;
}

type MapState = 'absent' | 'present' | 'unknown';

interface Range {
  readonly address: bigint;
  readonly size: bigint;
}
const NOWHERE: Range = { address: 0n, size: 0n };

class AreaState {
  map: MapState = 'absent';
  /** The range that this design has recorded. */
  own: Range = NOWHERE;
  /** The range that the recording kernel has recorded; the effects in the list follow from it. */
  recorded: Range = NOWHERE;

  get diverged(): boolean {
    return this.own.address !== this.recorded.address || this.own.size !== this.recorded.size;
  }
}

class VirtqueueState {
  device: number | undefined = undefined;
  count = 0n;
  iotlb = false;
  readonly areas: readonly AreaState[] = [new AreaState(), new AreaState(), new AreaState()];
  /** Between the `unmap` and the `reset` event of one vhost_vq_reset. */
  inReset = false;
  /** A callback overlaps this design's ranges and the recording's differently: nothing is sure. */
  untrusted = false;
  /** Areas without a map when the round began, for which no attempt was seen yet. */
  readonly due: Set<AreaState> = new Set();
  /** The count was 0 at some instant since the round began. */
  sawZero = true;

  addToCount(step: bigint): void {
    this.count += step;
    if (this.count === 0n) this.sawZero = true;
  }

  /** The count is known to be 0 from here on. */
  resetCount(): void {
    this.count = 0n;
    this.sawZero = true;
    this.untrusted = false;
  }

  dropMaps(): void {
    for (const area of this.areas) area.map = 'absent';
    this.due.clear();
  }

  /**
   * The attempts of a round are over. Where this design had to try and the recording kernel did not
   * (it had a map), the outcome is not known, unless the count refused throughout.
   */
  settleRound(): void {
    for (const area of this.due) if (this.sawZero && area.map === 'absent') area.map = 'unknown';
    this.due.clear();
  }
}

/** §1.4: size is not 0, and not (end < uaddr or start > uaddr - 1 + size). `end` is inclusive. */
export function overlaps(range: Range, start: bigint, end: bigint): boolean {
  if (range.size === 0n) return false;
  return !(end < range.address || start > range.address - 1n + range.size);
}

/** §1.2: the area that an accessor touches: 0 desc, 1 avail, 2 used. */
function areaOf(accessor: number): number {
  switch (accessor) {
    case 6: // get_desc
      return 0;
    case 1: // get_avail_idx
    case 2: // get_avail_head
    case 3: // get_avail_flags
    case 4: // get_used_event: its word lies in the avail ring
      return 1;
    case 5: // get_used_idx
    case 7: // put_avail_event: its word lies in the used ring
    case 8: // put_used
    case 9: // put_used_flags
    case 10: // put_used_idx
      return 2;
    default:
      throw new Error(`accessor ${accessor}`);
  }
}

/** How get_user_pages ended; undefined where the recording kernel refused before calling it. */
function recordedOutcome(event: EventRecord): AttemptVerdict | undefined {
  if (event.result === -12) return 'no_memory';
  if (event.pagesGot === -1000) return undefined;
  if (event.result === 77) return 'not_contiguous';
  return numberOf(event, 'pagesGot') < numberOf(event, 'pagesWanted') ? 'gup_short' : 'built';
}

/**
 * What `design` decides at each access and each attempt to map.
 *
 * @param events in the order of effects; one or more recordings
 */
export function oracle(events: readonly EventRecord[], design: OracleDesign): OracleResult {
  const result: OracleResult = {
    accesses: [],
    attempts: [],
    totals: {
      hit: 0n,
      fallback: 0n,
      iotlb: 0n,
      ambiguous: 0n,
      refused: 0n,
      built: 0n,
      gup_short: 0n,
      not_contiguous: 0n,
      no_memory: 0n,
      unknown: 0n,
    },
  };
  const virtqueues = new Map<number, VirtqueueState>();
  const registered = new Set<number>();

  const virtqueueOf = (event: EventRecord): VirtqueueState => {
    const id = numberOf(event, 'vq');
    const known = virtqueues.get(id);
    if (known !== undefined) return known;
    const created = new VirtqueueState();
    virtqueues.set(id, created);
    return created;
  };

  /** §1.2: hit = iotlb is NULL, and there is a map at that instant. Nothing else is tested. */
  const access = (event: EventRecord): AccessVerdict => {
    const vq = virtqueueOf(event);
    if (event.observed === 2) vq.iotlb = true; // how a recording without `iotlb` events tells it
    vq.settleRound();
    if (vq.iotlb) return 'iotlb';
    if (design === 'copy') return 'fallback';
    if (vq.untrusted) return 'ambiguous';
    const area = vq.areas[areaOf(numberOf(event, 'accessor'))];
    return ({ present: 'hit', absent: 'fallback', unknown: 'ambiguous' } as const)[area.map];
  };

  /** §1.3: one attempt to build a map; the first failing test wins, and the count is the first. */
  const attempt = (event: EventRecord): AttemptVerdict => {
    const vq = virtqueueOf(event);
    const area = vq.areas[numberOf(event, 'area')];
    vq.due.delete(area);
    if (design === 'copy') return 'unknown';
    if (vq.untrusted) {
      area.map = 'unknown';
      return 'unknown';
    }
    if (area.map === 'present') return 'unknown'; // this design has a map and does not try
    const sure = area.map === 'absent';
    if (vq.count !== 0n) return sure ? 'refused' : 'unknown';
    const outcome = recordedOutcome(event);
    if (outcome === undefined || area.diverged) {
      area.map = 'unknown'; // this design would have tried, and nobody knows how it would have ended
      return 'unknown';
    }
    if (outcome === 'built') area.map = 'present'; // built now, or there already
    return sure ? outcome : 'unknown';
  };

  /** A callback whose overlap differs between the two ranges of an area has no known effects. */
  const callback = (event: EventRecord): void => {
    if (event.blockable === 0) return; // §1.4, §5.3: neither its start nor its end has an effect
    const [start, end] = [bigintOf(event, 'start'), bigintOf(event, 'end')];
    for (const vq of virtqueues.values()) {
      if (vq.device !== event.dev) continue;
      for (const area of vq.areas) {
        if (overlaps(area.own, start, end) !== overlaps(area.recorded, start, end)) {
          vq.untrusted = true;
        }
      }
    }
  };

  const apply = (event: EventRecord): void => {
    switch (event.event) {
      case 'recording':
        virtqueues.clear();
        registered.clear();
        break;
      case 'virtqueue':
        if (event.dev !== undefined) virtqueueOf(event).device = numberOf(event, 'dev');
        break;
      case 'access': {
        const verdict = access(event);
        result.accesses.push(verdict);
        result.totals[verdict] += bigintOf(event, 'n');
        break;
      }
      case 'prefetch': {
        const verdict = attempt(event);
        result.attempts.push(verdict);
        result.totals[verdict] += 1n;
        break;
      }
      case 'round': {
        const vq = virtqueueOf(event);
        vq.settleRound();
        vq.sawZero = vq.count === 0n;
        if (vq.iotlb) break; // §1.3: with the IOTLB on, maps are left as they are
        for (const area of vq.areas) if (area.map === 'absent') vq.due.add(area);
        break;
      }
      case 'range_start':
      case 'range_end':
        callback(event);
        break;
      case 'effect_start': {
        // §1.4: ++invalidate_count; the map of this area, if any, is removed.
        const vq = virtqueueOf(event);
        vq.addToCount(1n);
        vq.areas[numberOf(event, 'area')].map = 'absent';
        break;
      }
      case 'effect_end':
        virtqueueOf(event).addToCount(-1n); // §1.4
        break;
      case 'addresses': {
        const area = virtqueueOf(event).areas[numberOf(event, 'area')];
        area.recorded = { address: bigintOf(event, 'address'), size: bigintOf(event, 'size') };
        const failed = event.error !== undefined && event.error !== 0;
        // §3.3, fix 1: the range is recorded only when the ioctl returned 0.
        if (!(failed && design === 'fixes-v5')) area.own = area.recorded;
        break;
      }
      case 'unmap': {
        const vq = virtqueueOf(event);
        vq.dropMaps();
        // While the notifier is registered this is the path of a reset: count 0 comes before it.
        // Otherwise it is the ioctl, which resets the count only under fix 4 (§3.3).
        const isReset = vq.device !== undefined && registered.has(vq.device);
        if (isReset || design === 'fixes-v5') vq.resetCount();
        vq.inReset = isReset;
        break;
      }
      case 'reset': {
        // §1.5: count 0, maps dropped, sizes 0; vhost_vq_reset also clears vq->iotlb. The count was
        // 0 before the maps were dropped: what callbacks did to it since then stays (§3.1, bug 10).
        const vq = virtqueueOf(event);
        vq.dropMaps();
        if (!vq.inReset) vq.resetCount();
        vq.inReset = false;
        vq.iotlb = false;
        for (const area of vq.areas) {
          area.own = NOWHERE;
          area.recorded = NOWHERE;
        }
        break;
      }
      case 'notifier': {
        const dev = numberOf(event, 'dev');
        if (event.registered === 1 && event.error === 0) registered.add(dev);
        else registered.delete(dev);
        break;
      }
      case 'iotlb': {
        const vq = virtqueueOf(event);
        vq.settleRound();
        vq.iotlb = event.enabled === 1;
        break;
      }
      case 'lost':
      case 'heartbeat':
      case 'round_end':
      case 'core_range_start':
      case 'core_range_end':
      case 'core_range_start_return':
      case 'core_range_end_return':
      case 'pages':
      case 'stack':
      case 'tlb_flush':
      case 'iotlb_miss':
      case 'iotlb_update':
      case 'iotlb_invalidate':
      case 'dirty_log':
      case 'counted':
      case 'recording_end':
        break;
    }
  };

  for (const event of events) apply(event);
  return result;
}
