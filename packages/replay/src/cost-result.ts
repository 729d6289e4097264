/** What the decisions of a replay are worth in packets per second, as `--json` prints it. */
import {
  estimateRate,
  findArchitecture,
  type CountedDecisions,
  type Design,
  type RateChange,
  type Tallies,
} from '@vhostscope/model';
import type { OpenTrace, TraceIndex } from '@vhostscope/trace';
import { z } from 'zod';
import type { CostBasis } from './cost-options.js';
import { addAccessor, createSum } from './decision-sums.js';
import { transmitVirtqueues } from './transmit-virtqueues.js';

const rate = z.number().nonnegative();

/** Least and most: ambiguous accesses may have hit, or not. */
const rateSpan = z.tuple([rate, rate]);

export const costSchema = z.object({
  /** Why there is no rate; null where there are some. */
  reason: z.string().nullable(),
  /** Virtqueues that transmit: the rates are of them. */
  virtqueues: z.array(z.number().int().nonnegative()),
  packets: z.number().int().nonnegative(),
  /** null without packets, as the next. */
  accesses_per_packet: z.number().nullable(),
  hit_ratio: rateSpan.nullable(),
  /** One by what the rates were measured with; rates are in millions of packets per second. */
  rates: z.array(
    z.object({
      /** null where --calibrate gave the rates. */
      smap: z.enum(['on', 'off']).nullable(),
      /** Every access copied, and every access mapped, as measured; the second is null of a design that maps nothing. */
      copied: rate,
      mapped: rate.nullable(),
      /** As the cost model has it, with this trace's hits. */
      rate: rateSpan,
      /** What a direct map saves, ns. */
      saved_per_packet: z.number(),
      saved_per_access: z.number(),
      /** The rate, had a packet one access fewer or more for as many hits; null where it has only one. */
      one_access_fewer: rateSpan.nullable(),
      one_access_more: rateSpan,
    }),
  ),
});
export type Cost = z.infer<typeof costSchema>;

/** What the rates are of; every result that has some says so. */
export const RATES_ARE_OF =
  'small packets that a guest transmits; TCP_STREAM gained nothing when it was measured';

export function costOf(trace: OpenTrace, design: Design, tallies: Tallies, asked: CostBasis): Cost {
  const virtqueues = transmitVirtqueues(trace, tallies);
  const basis = withHost(asked, trace.index);
  return costFrom(design, virtqueues, transmitted(tallies, virtqueues), basis);
}

/** What the trace says of its host, where the command line does not say another. */
export function withHost(basis: CostBasis, index: TraceIndex | undefined): CostBasis {
  const host = index?.header.host;
  const smap = host?.smap === undefined ? undefined : host.smap ? 'on' : 'off';
  return { ...basis, smap: basis.smap ?? smap, arch: basis.arch ?? host?.architecture };
}

/** What was counted of virtqueues that transmit. */
export interface Transmitted extends CountedDecisions {
  /** Accesses through the device IOTLB. */
  readonly iotlb: number;
}

/** The same of what was counted. */
export function costFrom(
  design: Design,
  virtqueues: readonly number[],
  counted: Transmitted,
  basis: CostBasis,
): Cost {
  const measured = counted.iotlb > 0 ? [] : measuredRates(design, basis);
  const rates = measured.flatMap((change) => {
    const mapsNothing = design.maps === 'never';
    const estimate = estimateRate(
      mapsNothing ? { before: change.before, after: change.before } : change,
      counted,
    );
    if (estimate === undefined) return [];
    const { savedPerPacket, savedPerAccess, sensitivity } = estimate;
    return {
      smap: change.smap,
      copied: change.before,
      mapped: mapsNothing ? null : change.after,
      rate: [...estimate.rate] satisfies number[] as [number, number],
      saved_per_packet: savedPerPacket,
      saved_per_access: savedPerAccess,
      one_access_fewer:
        sensitivity.fewer === undefined ? null : ([...sensitivity.fewer] as [number, number]),
      one_access_more: [...sensitivity.more] as [number, number],
    };
  });
  const { packets, accesses, hits, ambiguous } = counted;
  return {
    reason: rates.length > 0 ? null : reasonFor(design, virtqueues, counted, basis),
    virtqueues: [...virtqueues],
    packets,
    accesses_per_packet: packets === 0 ? null : accesses / packets,
    hit_ratio: accesses === 0 ? null : [hits / accesses, (hits + ambiguous) / accesses],
    rates,
  };
}

/** The measured rates that the cost model starts from: none, or one or two by SMAP. */
function measuredRates(design: Design, basis: CostBasis): Measured[] {
  const { smap, calibrated } = basis;
  if (calibrated !== undefined) return [{ smap: null, ...calibrated }];
  return otherThanMeasured(basis) === undefined ? publishedFor(design, smap) : [];
}

/** All published rates are of it, with its SMAP on and off. */
const MEASURED_ON = 'x86';

/** The architecture that the published rates say nothing of; undefined where they do, or nobody says. */
function otherThanMeasured({ arch }: CostBasis): string | undefined {
  if (arch === undefined) return undefined;
  const name = findArchitecture(arch)?.name ?? 'another architecture';
  return name === MEASURED_ON ? undefined : name;
}

type Measured = RateChange & { readonly smap: 'on' | 'off' | null };

function publishedFor({ publishedRates }: Design, smap: 'on' | 'off' | undefined): Measured[] {
  const { smapOn, smapOff } = publishedRates ?? {};
  return [
    ...(smapOn !== undefined && smap !== 'off' ? [{ smap: 'on' as const, ...smapOn }] : []),
    ...(smapOff !== undefined && smap !== 'on' ? [{ smap: 'off' as const, ...smapOff }] : []),
  ];
}

function reasonFor(
  { name, publishedRates }: Design,
  virtqueues: readonly number[],
  { packets, accesses, iotlb }: Transmitted,
  basis: CostBasis,
): string {
  const { smap } = basis;
  if (iotlb > 0) {
    const which = iotlb === accesses ? 'every access goes' : 'accesses go';
    return `${which} through the device IOTLB, with which no rate was measured`;
  }
  const isPublished = publishedRates?.smapOn !== undefined || publishedRates?.smapOff !== undefined;
  if (virtqueues.length === 0)
    return 'no virtqueue is known to transmit, and the published rates are of transmission';
  if (packets === 0) return 'the virtqueues that transmit fetched no packet';
  if (!isPublished) return `no packet rate was published for ${name}`;
  const other = otherThanMeasured(basis);
  if (other !== undefined)
    return `the published rates were measured on ${MEASURED_ON}, with its SMAP on and off, and this is ${other}; --calibrate takes your own two`;
  const isOn = smap === undefined ? publishedRates.smapOn === undefined : smap === 'on';
  return `no packet rate was published for ${name} with SMAP ${isOn ? 'on' : 'off'}`;
}

const GET_AVAIL_HEAD = 2;
const LAST_ACCESSOR = 10;

/** A guest transmits a packet as one chain, and the host fetches one head for it. */
function transmitted(tallies: Tallies, virtqueues: readonly number[]): Transmitted {
  const heads = createSum(false);
  const all = createSum(false);
  for (const vq of virtqueues) {
    addAccessor(heads, tallies, vq, GET_AVAIL_HEAD);
    for (let accessor = 1; accessor <= LAST_ACCESSOR; accessor++)
      addAccessor(all, tallies, vq, accessor);
  }
  const { accesses, hits, ambiguous, iotlb } = all.usual;
  return { packets: heads.usual.accesses, accesses, hits, ambiguous, iotlb };
}
