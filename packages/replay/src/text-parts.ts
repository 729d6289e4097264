/** Parts that the texts for people share. */
import { grouped, percent, printable, type TableColumn } from '@vhostscope/terminal';
import type { Design, Preemption } from '@vhostscope/model';

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
  },
  design: Design,
  ambiguous: number,
): string[] {
  const lines = [`trace       ${printable(result.trace)}`];
  if (result.complete === true) lines.push('complete    yes, as counted in the kernel');
  if (result.complete === false)
    lines.push(
      'complete    NO: events are missing; answers may be wrong, also where they are not ambiguous',
    );
  lines.push(
    `design      ${design.name}: ${design.title} (${design.source})`,
    `order       ${result.order}: ${result.order_reason}`,
  );
  if (result.order === 'ranges' && design.maps !== 'never') {
    const advice =
      result.preemption === 'unknown' && ambiguous > 0
        ? '; if it is voluntary, --preempt voluntary tells more'
        : '';
    lines.push(`preemption  ${PREEMPTION_MEANING[result.preemption]}${advice}`);
  }
  if (result.uses_observations)
    lines.push(`attempts    as recorded: right only if ${design.name} ran on the recording kernel`);
  return lines;
}

const PREEMPTION_MEANING: Readonly<Record<Preemption, string>> = {
  voluntary: 'voluntary, in the recording kernel',
  full: 'full, in the recording kernel',
  unknown: 'not known of the recording kernel',
};

/** Hits of accesses, in per cent: a span where some accesses are ambiguous and may be hits too. */
export function hitRatio({
  accesses,
  hits,
  ambiguous,
}: {
  readonly accesses: number;
  readonly hits: number;
  readonly ambiguous: number;
}): string {
  const least = percent(hits, accesses);
  return ambiguous === 0 ? least : `${least} … ${percent(hits + ambiguous, accesses)}`;
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

/** A column of numbers. */
export function numberColumn(title: string): TableColumn {
  return { title, align: 'right' };
}

/** A column of words. */
export function textColumn(title: string): TableColumn {
  return { title, align: 'left' };
}
