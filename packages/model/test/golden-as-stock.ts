/**
 * Golden traces as a stock host's recording would have them: what only a kernel with a direct map shows is
 * taken out, and rounds are told by indices instead of their accesses. What that kernel decided is kept apart.
 */
import { HANDLERS } from '../src/event-fields.ts';
import { createRingWord, ringWord, type RingWord } from '../src/ring-word.ts';
import { AREA_COUNT, AREA_OF_ACCESSOR, PAGE_BYTES } from '../src/ring.ts';
import { bigintOf, numberOf, type EventRecord } from './event-record.ts';

/** What of a golden trace is shown. */
export interface Shown {
  /** Accesses one by one, in their rounds, as `--detail accesses` tells them. Default: the indices of rounds only. */
  readonly accesses?: boolean;
  /** What attempts to map found of the pages as looks of the kernel where their round begins; else as /proc shows it. */
  readonly looks?: boolean;
}

export interface GoldenAsStock {
  readonly events: EventRecord[];
  /** By `round_end` event, by area: what the kernel was seen to decide. */
  readonly rounds: ReadonlyMap<EventRecord, readonly ReadonlySet<number>[]>;
}

interface Ring {
  num: number;
  areas: { address: bigint; size: bigint }[];
  word: RingWord;
  begun: RingWord | undefined;
  last: EventRecord | undefined;
  decided: Set<number>[];
  /** Where its last round stands among the events. */
  begunAt: EventRecord | undefined;
  /** Reads of the index in this round. */
  reads: number;
}

const OWNER = 1;
const GET_AVAIL_IDX = 1;
const GET_AVAIL_HEAD = 2;
const PUT_USED = 8;

/** Every device gets an owner of its own, so that each callback is a call of the memory manager. */
const ownerOf = (dev: unknown): number => OWNER + Number(dev);

export function goldenAsStock(golden: readonly EventRecord[], shown: Shown = {}): GoldenAsStock {
  const events: EventRecord[] = [];
  const rounds = new Map<EventRecord, Set<number>[]>();
  const rings = new Map<number, Ring>();

  const ringOf = (vq: number): Ring => {
    const known = rings.get(vq);
    if (known !== undefined) return known;
    const created: Ring = {
      num: 0,
      areas: [],
      word: { ...createRingWord(), callEventfd: true },
      begun: undefined,
      last: undefined,
      decided: [],
      begunAt: undefined,
      reads: 0,
    };
    rings.set(vq, created);
    return created;
  };

  /** The round of a virtqueue is over with the last of its accesses. */
  const endRound = (vq: number): void => {
    const ring = ringOf(vq);
    const { begun, last } = ring;
    ring.begun = undefined;
    if (begun === undefined || last === undefined) return;
    // A stock worker reads the index when it takes heads; what it reads is not in a golden trace.
    ring.word.availIdx = ring.reads > 0 ? ring.word.lastAvailIdx || 1 : begun.availIdx;
    const isIotlb = ring.decided.some((decided) => decided.has(2));
    const told: EventRecord = {
      event: 'round_end',
      time: last.time,
      cpu: last.cpu,
      vq,
      handler: HANDLERS.indexOf('other'),
      num: ring.num,
      chain: 0,
      ringBefore: ringWord({ ...begun, iotlb: isIotlb }),
      ringAfter: ringWord({ ...ring.word, iotlb: isIotlb }),
    };
    events.splice(events.lastIndexOf(last) + 1, 0, told);
    events.splice(events.lastIndexOf(last), 1);
    rounds.set(told, ring.decided);
  };

  for (const event of golden) {
    const { time, cpu } = event;
    switch (event.event) {
      case 'recording':
        events.push(event);
        break;
      case 'virtqueue':
        events.push({ ...event, owner: ownerOf(event.dev ?? 0) });
        break;
      case 'round': {
        const vq = numberOf(event, 'vq');
        endRound(vq);
        const ring = ringOf(vq);
        ring.begun = { ...ring.word };
        ring.begunAt = event;
        ring.last = undefined;
        ring.reads = 0;
        ring.decided = Array.from({ length: AREA_COUNT }, () => new Set<number>());
        events.push(event);
        break;
      }
      case 'access': {
        const vq = numberOf(event, 'vq');
        const accessor = numberOf(event, 'accessor');
        const ring = ringOf(vq);
        if (ring.begun === undefined) {
          const unseen = { ...event };
          delete unseen.observed;
          events.push(unseen);
          break;
        }
        if (accessor === GET_AVAIL_IDX) ring.reads++;
        if (accessor === GET_AVAIL_HEAD)
          ring.word.lastAvailIdx = (ring.word.lastAvailIdx + 1) & 0xffff;
        if (accessor === PUT_USED)
          ring.word.lastUsedIdx = (ring.word.lastUsedIdx + numberOf(event, 'entries')) & 0xffff;
        ring.decided[AREA_OF_ACCESSOR[accessor]].add(numberOf(event, 'observed'));
        if (shown.accesses === true) {
          const unseen = { ...event };
          delete unseen.observed;
          events.push(unseen);
        }
        // A place holder for the end of the round, which moves on with each access.
        if (ring.last !== undefined) events.splice(events.lastIndexOf(ring.last), 1);
        ring.last = event;
        events.push(event);
        break;
      }
      case 'prefetch': {
        // What the collector would have seen of the pages then.
        const { result } = event;
        const area = numberOf(event, 'area');
        const vq = numberOf(event, 'vq');
        if (shown.looks === true) {
          const { begunAt } = ringOf(vq);
          const look = begunAt === undefined ? undefined : lookOf(event, begunAt);
          if (begunAt !== undefined && look !== undefined)
            events.splice(events.lastIndexOf(begunAt), 0, look);
          break;
        }
        if (result !== 0 && result !== 77) break;
        const { address, size } = ringOf(vq).areas[area];
        const page = BigInt(PAGE_BYTES);
        const pages = Number((address + size - 1n) / page - address / page + 1n);
        events.push({
          event: 'pages',
          time,
          cpu,
          vq,
          area,
          pagesGot: pages,
          pagesWanted: pages,
          contiguous: result === 0 ? 1 : 0,
          hugePages: 0,
        });
        break;
      }
      case 'range_start':
      case 'range_end': {
        const told: EventRecord = { ...event, event: `core_${event.event}` };
        delete told.dev;
        events.push({ ...told, owner: ownerOf(event.dev) });
        break;
      }
      case 'addresses': {
        const ring = ringOf(numberOf(event, 'vq'));
        const area = numberOf(event, 'area');
        ring.areas[area] = { address: bigintOf(event, 'address'), size: bigintOf(event, 'size') };
        if (area === 0) ring.num = Number(bigintOf(event, 'size') / 16n);
        const unseen = { ...event };
        delete unseen.invalidateCount;
        events.push(unseen);
        break;
      }
      case 'unmap':
        endRound(numberOf(event, 'vq'));
        events.push({ event: 'unmap', time, cpu, vq: numberOf(event, 'vq') });
        break;
      case 'reset': {
        const vq = numberOf(event, 'vq');
        ringOf(vq).word = { ...createRingWord(), callEventfd: true };
        events.push(event);
        break;
      }
      case 'notifier':
      case 'iotlb':
        events.push(event);
        break;
      // Of the direct map itself, or not in a golden trace.
      case 'effect_start':
      case 'effect_end':
      case 'lost':
      case 'recording_end':
      case 'heartbeat':
      case 'round_end':
      case 'core_range_start':
      case 'core_range_end':
      case 'core_range_start_return':
      case 'core_range_end_return':
      case 'pages':
      case 'counted':
      case 'stack':
      case 'tlb_flush':
      case 'iotlb_miss':
      case 'iotlb_update':
      case 'iotlb_invalidate':
      case 'dirty_log':
        break;
    }
  }
  for (const vq of rings.keys()) endRound(vq);
  return { events, rounds };
}

/** The look that would have found what an attempt did; undefined where that asked for no pages. */
function lookOf(attempt: EventRecord, { time, cpu }: EventRecord): EventRecord | undefined {
  const got = numberOf(attempt, 'pagesGot');
  if (got < 0) return undefined;
  return {
    event: 'pages',
    time,
    cpu,
    vq: numberOf(attempt, 'vq'),
    area: numberOf(attempt, 'area'),
    pagesGot: got,
    pagesWanted: numberOf(attempt, 'pagesWanted'),
    pagesWritable: got,
    contiguous: numberOf(attempt, 'result') === 0 ? 1 : 0,
    hugePages: 0,
  };
}
