/** Numbers of the report as words. */
import { duration as cutDuration, grouped, percent } from '@vhostscope/terminal/text';
import type { Report } from '../report-schema.js';
import { accessesOf, shortNumber, type Shares } from './bins.js';

export type Decisions = Report['run']['totals'];

export const DECISION_NAMES = {
  hits: 'direct-map hits',
  ambiguous: 'ambiguous',
  iotlb: 'device IOTLB',
  fallbacks: 'fallbacks',
} as const;

/** A count; an estimated one is marked. */
export function countOf(count: number, { counts }: Pick<Decisions, 'counts'>): string {
  return counts === 'estimated' && count > 0 ? `≈${grouped(count)}` : grouped(count);
}

/** Hits of accesses: a span where ambiguous ones may be hits too. Rounded down, so that 100 % means all. */
export function ratioOf(hits: number, ambiguous: number, accesses: number): string {
  const least = percent(hits, accesses);
  return ambiguous === 0 ? least : `${least} … ${percent(hits + ambiguous, accesses)}`;
}

/** @param totals says whether such counts are estimated */
export function sharesText(shares: Shares, totals: Pick<Decisions, 'counts'>): string {
  const accesses = accessesOf(shares);
  if (accesses === 0) return 'no access';
  const parts = (['fallbacks', 'ambiguous', 'iotlb'] as const)
    .filter((decision) => shares[decision] > 0)
    .map((decision) => `${countOf(shares[decision], totals)} ${DECISION_NAMES[decision]}`);
  const ratio = `${ratioOf(shares.hits, shares.ambiguous, accesses)} of ${countOf(accesses, totals)}`;
  return [ratio, ...parts].join(', ');
}

/** 8192000 ns → "8.192 ms" */
export function duration(ns: number): string {
  return cutDuration(ns, { digits: 4 });
}

/** 12500 → "12.5k" */
export function compact(value: number): string {
  if (value >= 1e6) return `${shortNumber(value / 1e6)}M`;
  return value >= 1e3 ? `${shortNumber(value / 1e3)}k` : shortNumber(value);
}

export function virtqueueName(report: Report, id: number): string {
  const found = report.run.virtqueues.find((virtqueue) => virtqueue.id === id);
  const dev = found?.dev ?? null;
  return dev === null ? `vq ${id}` : `vq ${id} (dev ${dev})`;
}
