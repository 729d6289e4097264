/** The result of `replay run` for people. */
import { OUTCOME_MEANING, type Design } from '@vhostscope/model';
import {
  counted,
  grouped,
  percent,
  printable,
  tableLines,
  type TableColumn,
} from '@vhostscope/terminal';
import type { Decisions, RunResult } from './run-result.js';

export function runText(result: RunResult, design: Design): string {
  const { totals } = result;
  const several = result.virtqueues.some(({ recording }) => recording > 0);
  const lines = [
    `trace    ${printable(result.trace)}${completeText(result)}`,
    `design   ${design.name}: ${design.title} (${design.source})`,
    `order    ${orderText(result)}`,
    '',
    ...totalLines(result),
    '',
    ...tableLines(columns(several), rows(result, several)),
  ];
  const reasons = Object.entries(totals.reasons).sort(([, a], [, b]) => b - a);
  if (reasons.length > 0 || totals.ambiguous > 0) {
    lines.push('', 'why not the direct map');
    if (totals.ambiguous > 0) reasons.push(['ambiguous', totals.ambiguous]);
    const width = Math.max(...reasons.map(([, accesses]) => grouped(accesses).length));
    for (const [reason, accesses] of reasons) {
      lines.push(
        `  ${grouped(accesses).padStart(width)}  ${reason.padEnd(14)}  ${OUTCOME_MEANING[reason] ?? ''}`,
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

function completeText({ complete }: RunResult): string {
  if (complete === null) return '';
  return complete
    ? ' (complete)'
    : ' (INCOMPLETE: events are missing, every number below is of what is left)';
}

function orderText({ order, order_reason: reason, preemption }: RunResult): string {
  if (order === 'effects') return `effects: ${reason}`;
  return `ranges: ${reason}; preemption of the recording kernel: ${preemption}`;
}

function totalLines({ totals, rounds, prefetch, ranges }: RunResult): string[] {
  const attempts = Object.entries(prefetch)
    .filter(([, times]) => times > 0)
    .map(([outcome, times]) => `${grouped(times)} ${outcome.replaceAll('_', ' ')}`);
  const parts = [`${counted(totals.fallbacks, 'fallback')}`];
  if (totals.iotlb > 0) parts.push(`${grouped(totals.iotlb)} device IOTLB`);
  parts.push(`${grouped(totals.ambiguous)} ambiguous`);
  const refused = ranges.refused > 0 ? `, ${grouped(ranges.refused)} refused as non-blockable` : '';
  return [
    `${counted(totals.accesses, 'access').replace('accesss', 'accesses')}: ${grouped(totals.hits)} by direct map ` +
      `(${percent(totals.hits, totals.accesses)}), ${parts.join(', ')}`,
    `${counted(rounds, 'round')}; attempts to map an area: ${attempts.length === 0 ? 'none' : attempts.join(', ')}`,
    `${counted(ranges.start, 'invalidation')}, ${grouped(ranges.overlapping)} of them over a ring area${refused}`,
  ];
}

function columns(several: boolean): TableColumn[] {
  return [
    ...(several ? [{ title: 'recording', align: 'right' } as const] : []),
    { title: 'virtqueue', align: 'left' },
    { title: 'accessor', align: 'left' },
    { title: 'accesses', align: 'right' },
    { title: 'direct map', align: 'right' },
    { title: 'fallback', align: 'right' },
    { title: 'ambiguous', align: 'right' },
    { title: 'hit ratio', align: 'right' },
  ];
}

function rows(result: RunResult, several: boolean): string[][] {
  return result.virtqueues.flatMap(({ id, recording, dev, totals, accessors }) => {
    const name = dev === null ? `vq ${id}` : `vq ${id} (dev ${dev})`;
    const head = several ? [String(recording), name] : [name];
    const body = Object.entries(accessors).map(([accessor, decisions]) => [
      ...head.map(() => ''),
      accessor,
      ...decisionCells(decisions),
    ]);
    return [[...head, 'all', ...decisionCells(totals)], ...body];
  });
}

function decisionCells({ accesses, hits, fallbacks, ambiguous }: Decisions): string[] {
  return [
    grouped(accesses),
    grouped(hits),
    grouped(fallbacks),
    grouped(ambiguous),
    percent(hits, accesses),
  ];
}
