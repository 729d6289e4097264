/**
 * Where an event stands, for people: at a line of the text that was imported, or, as a live recording has no text
 * and a merged trace several, at its time since the first event, as `--at` takes it.
 */
import type { TableColumn } from '@vhostscope/terminal';
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import { numberColumn } from './text-parts.js';
import { extentOf } from './time-argument.js';

/** Of a result: when the first event of a live recording or a merged trace was, ns, decimal; null of an imported text. */
export const liveSinceSchema = z.string().nullable();
export type LiveSince = z.infer<typeof liveSinceSchema>;

export function liveSinceOf(trace: OpenTrace): LiveSince {
  const { host, merged } = trace.index.header;
  return host === undefined && merged === undefined ? null : String(extentOf(trace).first);
}

interface Placed {
  readonly line: number;
  /** ns, decimal. */
  readonly time: string;
}

/** "line 17", or "1.000000170 s". */
export function eventPlace(event: Placed, since: LiveSince): string {
  return since === null ? `line ${event.line}` : `${placeCell(event, since)} s`;
}

/** The same in a table. */
export function placeColumn(since: LiveSince): TableColumn {
  return numberColumn(since === null ? 'line' : 'after (s)');
}

export function placeCell({ line, time }: Placed, since: LiveSince): string {
  if (since === null) return String(line);
  const ns = BigInt(time) - BigInt(since);
  const digits = String(ns < 0n ? -ns : ns).padStart(10, '0');
  return `${ns < 0n ? '-' : ''}${digits.slice(0, -9)}.${digits.slice(-9)}`;
}
