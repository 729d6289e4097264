/** Parts that the texts for people share. */
import { grouped, percent, printable, type TableColumn } from '@vhostscope/terminal';
import type { z } from 'zod';
import { mechanismOf, type Design, type Preemption } from '@vhostscope/model';
import { idsInWords, type mergedHostsSchema } from './merged-hosts.js';

/** Lines stay within this where they can. */
const COLUMNS = 100;

/** What was replayed, and how: the head of a result. */
export function headLines(
  result: {
    readonly trace: string;
    readonly complete: boolean | null;
    readonly order: 'effects' | 'ranges';
    readonly order_reason: string;
    readonly preemption: Preemption;
    readonly uses_observations: boolean;
    readonly assumptions: readonly string[];
    readonly span: { readonly from: string | null; readonly to: string | null } | null;
    readonly hosts: z.infer<typeof mergedHostsSchema>;
  },
  design: Design,
  ambiguous: number,
): string[] {
  const lines = [`trace       ${printable(result.trace)}`];
  for (const [at, { file, virtqueues }] of (result.hosts ?? []).entries())
    lines.push(
      ...wrapped(
        at === 0 ? 'hosts       ' : '            ',
        virtqueues.length === 0
          ? `no vq of ${printable(file)}`
          : `vq ${idsInWords(virtqueues)} of ${printable(file)}`,
      ),
    );
  if (result.complete === true) lines.push('complete    yes, as counted in the kernel');
  if (result.complete === false) lines.push(INCOMPLETE);
  lines.push(
    ...wrapped('design      ', `${design.name}: ${design.title} (${design.source})`),
    ...wrapped('order       ', `${result.order}: ${result.order_reason}`),
  );
  if (result.span !== null) lines.push(spanLine(result.span));
  if (design.switchedOff !== undefined) lines.push(...wrapped('off         ', design.switchedOff));
  else if (result.order === 'ranges' && design.maps !== 'never') {
    const text = preemptionText(result.preemption, ambiguous > 0 && callsAreTimed(design));
    lines.push(`preemption  ${text}`);
  }
  if (result.uses_observations)
    lines.push(`attempts    as recorded: right only if ${design.name} ran on the recording kernel`);
  for (const [at, assumption] of result.assumptions.entries())
    lines.push(...wrapped(at === 0 ? 'assumed     - ' : '            - ', assumption));
  return lines;
}

/** Of a trace that is not known to be whole: one that was not closed may be, and so may one in which an event just did not happen. */
export const INCOMPLETE =
  'complete    NO: events are missing, or may be; answers may be wrong, also where they are not ambiguous';

/** What was counted of a trace. */
export function spanLine({
  from,
  to,
}: {
  readonly from: string | null;
  readonly to: string | null;
}): string {
  const end = to === null ? 'to the end' : `to before ${to} ns`;
  return `span        ${from === null ? 'from the beginning' : `from ${from} ns`} ${end}; state is known from the beginning on`;
}

/** @param wouldTell whether knowing it would leave less open */
export function preemptionText(preemption: Preemption, wouldTell: boolean): string {
  const advice =
    preemption === 'unknown' && wouldTell
      ? '; if it is voluntary, --preempt voluntary tells more'
      : '';
  return `${PREEMPTION_MEANING[preemption]}${advice}`;
}

/** Whether it matters to a design when callbacks were through. */
export function callsAreTimed(design: Design): boolean {
  return mechanismOf(design) === 'counted' || design.clears === 'range-at-unlock';
}

const PREEMPTION_MEANING: Readonly<Record<Preemption, string>> = {
  voluntary: 'voluntary in the recording kernel',
  full: 'full in the recording kernel',
  unknown: 'not known of the recording kernel',
};

/**
 * Hits of accesses, in per cent: a span where some accesses are ambiguous and may be hits too. Where they are
 * estimated it says so, unless all came out alike, so that it does not matter how many there were.
 */
export function hitRatio({
  accesses,
  hits,
  ambiguous,
  counts = 'exact',
}: {
  readonly accesses: number;
  readonly hits: number;
  readonly ambiguous: number;
  readonly counts?: 'exact' | 'by rule' | 'estimated';
}): string {
  const least = percent(hits, accesses);
  const ratio = ambiguous === 0 ? least : `${least} … ${percent(hits + ambiguous, accesses)}`;
  const isMixed =
    [hits, ambiguous, accesses - hits - ambiguous].filter((one) => one > 0).length > 1;
  return about(counts === 'estimated' && isMixed, ratio);
}

/** A number that is estimated is marked. */
export function about(isEstimated: boolean, text: string): string {
  return isEstimated ? `≈${text}` : text;
}

/** A count that may be another: "2,621", "≤ 4,620", "1,204 … 2,621". */
export function countOrSpan([least, most]: readonly [least: number, most: number]): string {
  if (least === most) return grouped(most);
  return least === 0 ? `≤ ${grouped(most)}` : `${grouped(least)} … ${grouped(most)}`;
}

/** A virtqueue's name for people. */
export function virtqueueName({
  id,
  dev,
}: {
  readonly id: number;
  readonly dev: number | null;
}): string {
  return dev === null ? `vq ${id}` : `vq ${id} (dev ${dev})`;
}

/** A count of several kinds: number, share of all, name, meaning; the most frequent first. */
export function shareLines(
  counts: readonly (readonly [name: string, count: number])[],
  meaning: (name: string) => string,
): string[] {
  const present = counts.filter(([, count]) => count > 0).toSorted(([, a], [, b]) => b - a);
  const all = present.reduce((sum, [, count]) => sum + count, 0);
  const cells = present.map(([name, count]) => [
    grouped(count),
    percent(count, all),
    name,
    meaning(name),
  ]);
  const width = (at: number): number => Math.max(0, ...cells.map((row) => row[at]?.length ?? 0));
  return cells.map(([count = '', share = '', name = '', sentence = '']) =>
    `  ${count.padStart(width(0))}  ${share.padStart(width(1))}  ${name.padEnd(width(2))}  ${sentence}`.trimEnd(),
  );
}

/** Items behind a label, over as many lines as they need; all but the first are indented. */
export function listLines(label: string, items: readonly string[]): string[] {
  const indent = ' '.repeat(label.search(/\S|$/) + 2);
  const lines: string[] = [];
  let line = label;
  for (const [at, item] of items.entries()) {
    const next = at === items.length - 1 ? item : `${item},`;
    if (line.length + 1 + next.length > COLUMNS) {
      lines.push(line);
      line = `${indent}${next}`;
    } else {
      line += ` ${next}`;
    }
  }
  return [...lines, line];
}

/** An interval of counts; beyond FAR, or null, nothing bounds it. */
export function countSpan(least: number | null, most: number | null): string {
  const low = least === null || least < -FAR ? null : least;
  const high = most === null || most > FAR ? null : most;
  if (low !== null && low === high) return String(low);
  if (low === null && high === null) return 'unknown';
  return `${low ?? '-∞'}…${high ?? '∞'}`;
}

const FAR = 1 << 27;

/** Words behind a label, broken into lines that fit; all but the first are indented. */
export function wrapped(
  label: string,
  text: string,
  indent: string = ' '.repeat(label.length),
): string[] {
  const lines: string[] = [];
  let line = label;
  let isEmpty = true;
  for (const word of text.split(' ')) {
    if (!isEmpty && line.length + 1 + word.length > COLUMNS) {
      lines.push(line);
      line = indent + word;
    } else {
      line += isEmpty ? word : ` ${word}`;
    }
    isEmpty = false;
  }
  return [...lines, line];
}

/** A column of numbers. */
export function numberColumn(title: string): TableColumn {
  return { title, align: 'right' };
}

/** A column of words. */
export function textColumn(title: string): TableColumn {
  return { title, align: 'left' };
}
