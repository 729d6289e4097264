/** The last events of a virtqueue, for people. */
import { tableLines } from '@vhostscope/terminal';
import { placeCell, placeColumn, type LiveSince } from './event-place.js';
import { countSpan, numberColumn, textColumn } from './text-parts.js';

/** As a table. */
export function eventLines(
  events: readonly {
    readonly line: number;
    readonly time: string;
    readonly cpu: number;
    readonly event: string;
    readonly area: string | null;
    readonly invalidate_count: readonly [number, number];
  }[],
  since: LiveSince,
): string[] {
  const table = tableLines(
    [
      placeColumn(since),
      numberColumn('time (ns)'),
      numberColumn('cpu'),
      textColumn('event'),
      textColumn('area'),
      numberColumn('invalidate_count'),
    ],
    events.map((one) => [
      placeCell(one, since),
      one.time,
      String(one.cpu),
      one.event,
      one.area ?? '',
      countSpan(...one.invalidate_count),
    ]),
  );
  return table.map((line) => `    ${line}`);
}
