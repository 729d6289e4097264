/**
 * What hits and fallbacks are worth in packets per second.
 *
 * What is known are two rates of one workload, small packets that a guest transmits: with every access
 * copied, and with every access through the direct map (reference §3.5). The time that the second saves per
 * packet is spread evenly over the accesses of a packet; a trace in which only some of them hit saves that
 * part of it. Between the two rates that is a model, at both ends it is what was measured.
 */
import type { RateChange } from './designs.js';

/** Decisions of the virtqueues that transmit. */
export interface CountedDecisions {
  readonly packets: number;
  /** All of them; what is neither a hit nor ambiguous was copied. */
  readonly accesses: number;
  readonly hits: number;
  readonly ambiguous: number;
}

/** Least and most: ambiguous accesses may have hit, or not. */
export type RateSpan = readonly [least: number, most: number];

export interface RateEstimate {
  /** Millions of packets per second. */
  readonly rate: RateSpan;
  readonly hitRatio: RateSpan;
  readonly accessesPerPacket: number;
  /** What the direct map saves, in ns. */
  readonly savedPerPacket: number;
  readonly savedPerAccess: number;
  /**
   * The rate, had each packet one access less or more over which the time saved is spread, for as many hits.
   * `fewer` is undefined where a packet has one access or less.
   */
  readonly sensitivity: { readonly fewer: RateSpan | undefined; readonly more: RateSpan };
}

/** Millions of packets per second that are taken for a rate; no machine comes near. */
export const MAX_RATE = 1e6;

/** Millions of packets per second at a hit ratio; at 0 and 1 exactly what was measured. */
export function rateAt({ before, after }: RateChange, hitRatio: number): number {
  if (hitRatio <= 0) return before;
  if (hitRatio >= 1) return after;
  // Both are microseconds per packet.
  return 1 / (1 / before - hitRatio * (1 / before - 1 / after));
}

/** The rate of a trace; undefined when it holds no packet, or no access. */
export function estimateRate(
  rates: RateChange,
  { packets, accesses, hits, ambiguous }: CountedDecisions,
): RateEstimate | undefined {
  if (packets <= 0 || accesses <= 0) return undefined;
  const accessesPerPacket = accesses / packets;
  const savedPerPacket = 1000 * (1 / rates.before - 1 / rates.after);
  const spreadOver = (count: number): RateSpan =>
    inOrder(rateAt(rates, hits / count), rateAt(rates, (hits + ambiguous) / count));
  return {
    rate: spreadOver(accesses),
    hitRatio: [hits / accesses, (hits + ambiguous) / accesses],
    accessesPerPacket,
    savedPerPacket,
    savedPerAccess: savedPerPacket / accessesPerPacket,
    sensitivity: {
      fewer: accesses > packets ? spreadOver(accesses - packets) : undefined,
      more: spreadOver(accesses + packets),
    },
  };
}

/** A calibration may say that the direct map is slower. */
function inOrder(a: number, b: number): RateSpan {
  return a <= b ? [a, b] : [b, a];
}
