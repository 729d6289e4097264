/** Spans of a trace: `--from` and `--to`. What came before the span is not counted, but is known. */
import type { EventBatch } from '@vhostscope/model';
import { ProgramError } from '@vhostscope/terminal';
import type { OpenTrace, RunVisitor } from '@vhostscope/trace';
import { z } from 'zod';
import { readStormRate, stormFinder } from './find-storms.js';
import { extentOf, readTimeArgument, resolveTime, type TimeArgument } from './time-argument.js';

export interface SpanOptions {
  /** As typed. */
  readonly from?: string;
  readonly to?: string;
  readonly stormRate?: string;
}

/** The options understood, before the trace is read. */
export interface WantedSpan {
  readonly from: TimeArgument | undefined;
  readonly to: TimeArgument | undefined;
  /** What a storm is that is named by its number. */
  readonly stormRate: number;
}

/** ns; `from` is in the span, `to` is the first that is not. Open where undefined. */
export interface TimeSpan {
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
  /** First event of the trace, from which people count. */
  readonly first: bigint;
}

/** Of a result: ns, decimal; null where the span is that of the trace. */
export const spanSchema = z
  .object({ from: z.string().nullable(), to: z.string().nullable() })
  .nullable();

/** @throws ProgramError when an option is no moment */
export function readSpanOptions({ from, to, stormRate }: SpanOptions): WantedSpan {
  return {
    stormRate: readStormRate(stormRate),
    from: from === undefined ? undefined : readTimeArgument('--from', from),
    to: to === undefined ? undefined : readTimeArgument('--to', to),
  };
}

/**
 * The span in a trace; undefined for all of it.
 *
 * @throws ProgramError when it holds nothing of the trace
 */
export function spanOf(
  trace: OpenTrace,
  { from, to, stormRate }: WantedSpan,
): TimeSpan | undefined {
  if (from === undefined && to === undefined) return undefined;
  const extent = extentOf(trace);
  const find = stormFinder(trace, stormRate);
  const resolved = {
    from: from === undefined ? undefined : resolveTime(from, extent, find),
    to: to === undefined ? undefined : resolveTime(to, extent, find),
    first: extent.first,
  };
  const begins = resolved.from ?? extent.first;
  const ends = resolved.to ?? extent.last + 1n;
  if (begins >= ends)
    throw new ProgramError(`no time lies between --from ${begins} ns and --to ${ends} ns`, {
      advice: 'the span begins with --from and ends before --to',
    });
  if (begins > extent.last || ends <= extent.first)
    throw new ProgramError(`${trace.name} has no event from ${begins} to ${ends} ns`, {
      advice: `it lasts from ${extent.first} to ${extent.last} ns`,
    });
  return resolved;
}

/** As `--json` prints it. */
export function describeSpan(span: TimeSpan | undefined): z.infer<typeof spanSchema> {
  if (span === undefined) return null;
  return { from: span.from?.toString() ?? null, to: span.to?.toString() ?? null };
}

/**
 * A visitor that cuts runs of events where they enter or leave a span.
 *
 * @param cross called between two runs, and before the first, when what follows is in the span or is not
 */
export function visitSpan(
  span: TimeSpan | undefined,
  cross: (isInside: boolean) => void,
  visit: RunVisitor,
): RunVisitor {
  if (span === undefined) return visit;
  const [fromLow, fromHigh] = words(span.from ?? 0n);
  const [toLow, toHigh] = words(span.to ?? LATEST);
  const isIn = ({ time }: EventBatch, row: number): boolean => {
    const low = time[2 * row] ?? 0;
    const high = time[2 * row + 1] ?? 0;
    return (
      (high > fromHigh || (high === fromHigh && low >= fromLow)) &&
      (high < toHigh || (high === toHigh && low < toLow))
    );
  };
  let isInside = true;
  return (batch, from, to) => {
    let begin = from;
    for (let row = from; row < to; row++) {
      if (isIn(batch, row) === isInside) continue;
      if (row > begin) visit(batch, begin, row);
      begin = row;
      isInside = !isInside;
      cross(isInside);
    }
    visit(batch, begin, to);
  };
}

const LATEST = (1n << 64n) - 1n;

function words(value: bigint): [low: number, high: number] {
  return [Number(value & 0xffff_ffffn), Number(value >> 32n)];
}
