/**
 * The end of a round on a stock host: what the handler accessed follows from the ring's indices before and
 * after (derive-round.ts), and what a design would have made of it from the maps in the meantime.
 */
import {
  BUFFER_MISSED,
  createRoundCounts,
  deriveRound,
  EITHER_MISSED,
  headsOf,
  NOTHING_MISSED,
  pollsBusily,
  usedOf,
  VSOCK,
  type EndedRound,
} from '../accessor-rules/derive-round.js';
import type { AccessorRules } from '../accessor-rules/rule-sets.js';
import { BEGIN_UNSEEN, IOTLB_ROUND } from '../doubts.js';
import type { EngineState } from '../engine-state.js';
import type { EventBatch } from '../event-batch.js';
import { AMBIGUOUS, IOTLB, PENDING } from '../outcome.js';
import { ACCESSOR_SPAN, ACCESSORS, AREA_COUNT, AREA_OF_ACCESSOR } from '../ring.js';
import { createRingWord, readRingWord, type RingWord } from '../ring-word.js';
import { abandonAttempts } from '../attempts.js';
import { doubtDeferred } from '../deferred-maps.js';
import { settleRound } from '../rounds.js';
import type { Tallies } from '../tallies.js';
import {
  doubtMap,
  IOTLB_OFF,
  IOTLB_ON,
  setIotlb,
  type VirtqueueState,
} from '../virtqueue-state.js';
import { countDerived } from './count-derived.js';
import { learnFromCopies } from './page-evidence.js';
import { isRangeUnderWay } from './ranges-under-way.js';
import { countTold } from './told-in-round.js';

type Filled = { -readonly [Name in keyof EndedRound]: EndedRound[Name] };

// One round is judged at a time, and nothing is kept here from one event to the next but what `readRound` compares
// with the event again, so that engines may take turns: none of these is allocated per event.
const counts = createRoundCounts();
const before: RingWord = createRingWord();
const after: RingWord = createRingWord();
const round: Filled = { handler: 0, num: 0, chain: 0, usualChain: 0, before, after, missed: 0 };
const outcomes = new Uint8Array(AREA_COUNT);
const doubts = new Uint8Array(AREA_COUNT);

/** `round_end`. HOT: once a round, allocates nothing. Benchmark: `npm run bench`. */
export function endRound(engine: EngineState, batch: EventBatch, i: number): void {
  const { virtqueues, roundAccesses } = engine;
  const vq = batch.vq[i];
  readRound(engine, batch, i, vq);
  judgeAreas(engine, batch, i, vq);
  countRound(engine.tallies, vq);
  const isBegun = virtqueues.inRound[vq] === 1;
  if (engine.isAtOnce && roundAccesses === 'recorded') {
    if (isBegun) countTold(engine, vq, before.iotlb);
  } else {
    if (roundAccesses === 'derived') derive(engine);
    else takeCounted(virtqueues, vq);
    countAccesses(engine, vq);
  }
  // Only designs that may fail to map ask whether pages are there.
  const isOfUse = engine.mechanism === 'counted' && isBegun;
  if (isOfUse && !before.iotlb && !after.iotlb) learn(engine, vq);
  virtqueues.inRound[vq] = 0;
}

/**
 * What `round` was read from, and whether `counts` was derived from it: many designs ask for the same round one
 * after the other. By handler, num, chain, usualChain, the words of the ring before and after, and what was missed.
 */
const told = new Uint32Array(9);
const derived = { isRead: false, by: undefined as AccessorRules | undefined };

function readRound({ virtqueues }: EngineState, batch: EventBatch, i: number, vq: number): void {
  const { handler, num, chain, ringBefore, ringAfter } = batch.details;
  const detail = batch.detail[i];
  const word = 2 * detail;
  if (chain[detail] > 0) virtqueues.usualChain[vq] = chain[detail];
  const isKnown =
    derived.isRead &&
    told[0] === handler[detail] &&
    told[1] === num[detail] &&
    told[2] === chain[detail] &&
    told[3] === virtqueues.usualChain[vq] &&
    told[4] === ringBefore[word] &&
    told[5] === ringBefore[word + 1] &&
    told[6] === ringAfter[word] &&
    told[7] === ringAfter[word + 1] &&
    told[8] === virtqueues.missed[vq];
  if (isKnown) return;
  derived.isRead = true;
  derived.by = undefined;
  told[0] = round.handler = handler[detail];
  told[1] = round.num = num[detail];
  told[2] = round.chain = chain[detail];
  told[3] = round.usualChain = virtqueues.usualChain[vq];
  told[4] = ringBefore[word];
  told[5] = ringBefore[word + 1];
  told[6] = ringAfter[word];
  told[7] = ringAfter[word + 1];
  told[8] = virtqueues.missed[vq];
  readRingWord(told[4], told[5], before);
  readRingWord(told[6], told[7], after);
  round.missed = told[8] > 0 ? told[8] : missedUnseen();
}

/**
 * What the device IOTLB may have lacked in `round` without a miss that was told: of the ring only where the round did nothing, as
 * where the translation allows less than the ring needs; of a buffer where misses are not told.
 */
function missedUnseen(): number {
  const { iotlb, metaTold, metaDesc, metaAvail, metaUsed } = after;
  if (!iotlb || (metaTold && metaDesc && metaAvail && metaUsed)) return NOTHING_MISSED;
  const isStill =
    before.lastAvailIdx === after.lastAvailIdx &&
    before.availIdx === after.availIdx &&
    before.lastUsedIdx === after.lastUsedIdx;
  return isStill ? EITHER_MISSED : BUFFER_MISSED;
}

function derive({ rules }: EngineState): void {
  if (derived.by === rules) return;
  deriveRound(rules, round, counts);
  derived.by = rules;
}

/** What the accesses of each area have become in the round. */
function judgeAreas(engine: EngineState, batch: EventBatch, i: number, vq: number): void {
  const { virtqueues, fixedMap } = engine;
  const isBegun = virtqueues.inRound[vq] === 1;
  // The worker held vq->mutex from before the first word was read: vq->iotlb was that all the time.
  const isOn = before.iotlb ? IOTLB_ON : IOTLB_OFF;
  const isSurprise =
    isOn !== virtqueues.iotlb[vq] || (isBegun && isOn !== virtqueues.roundIotlb[vq]);
  if (isSurprise && engine.mechanism === 'deferred') {
    doubtDeferred(engine, vq, IOTLB_ROUND);
  } else if (isSurprise && fixedMap < 0) {
    abandonAttempts(virtqueues, engine.tallies, vq);
    for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++)
      doubtMap(virtqueues, slot, IOTLB_ROUND);
  } else if (engine.mechanism === 'counted') {
    settleRound(engine, batch, i, vq);
  }
  if (after.iotlb !== (virtqueues.iotlb[vq] === 1)) setIotlb(virtqueues, vq, after.iotlb);
  for (let area = 0; area < AREA_COUNT; area++) {
    const slot = 4 * vq + area;
    const map = virtqueues.roundMap[slot] & (PENDING - 1);
    outcomes[area] = map;
    doubts[area] = virtqueues.doubt[slot];
    if (before.iotlb) {
      outcomes[area] = IOTLB;
    } else if (!isBegun && fixedMap < 0) {
      outcomes[area] = AMBIGUOUS;
      doubts[area] = BEGIN_UNSEEN;
    } else if (virtqueues.changed[slot] === 1 && engine.mechanism === 'counted') {
      outcomes[area] = AMBIGUOUS;
      doubts[area] = virtqueues.changeDoubt[slot];
    }
  }
}

function countRound({ derived: rounds }: Tallies, vq: number): void {
  if (rounds === undefined) return;
  rounds.rounds[vq]++;
  if (round.handler === VSOCK) rounds.vsockRounds[vq]++;
  if (pollsBusily(round)) rounds.busyRounds[vq]++;
}

function countAccesses({ tallies }: EngineState, vq: number): void {
  const { least, most, estimate } = counts;
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
    if (most[accessor] === 0) continue;
    const area = AREA_OF_ACCESSOR[accessor];
    countDerived(
      tallies,
      vq,
      accessor,
      outcomes[area],
      doubts[area],
      least[accessor],
      most[accessor],
      estimate[accessor],
    );
  }
}

/** What counters, or accesses told one by one, add up to in the round; of one whose beginning was not seen, nothing. */
function takeCounted({ countedInRound, inRound }: VirtqueueState, vq: number): void {
  derived.by = undefined;
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
    const counted = inRound[vq] === 1 ? countedInRound[ACCESSOR_SPAN * vq + accessor] : 0;
    counts.least[accessor] = counted;
    counts.most[accessor] = counted;
    counts.estimate[accessor] = counted;
  }
}

/** The copies of the round touched pages, which are there from now on. */
function learn(engine: EngineState, vq: number): void {
  const { virtqueues } = engine;
  const heads = headsOf(round);
  const used = usedOf(round);
  for (let slot = 4 * vq; slot < 4 * vq + AREA_COUNT; slot++) {
    const isCurrent =
      virtqueues.disturbed[slot] === 0 &&
      virtqueues.roundTime[vq] >= virtqueues.flushedAt[slot] &&
      virtqueues.roundTime[vq] >= virtqueues.watchedFrom[slot];
    if (isCurrent && !isRangeUnderWay(engine, slot))
      learnFromCopies(virtqueues, slot, round.num, before, after, heads, used);
  }
}
