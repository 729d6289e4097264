/** Moments of a trace as they are typed: `12.5s`, `-3s`, `1234567890`, `1.234567890`, `storm:2`. */
import { ProgramError, seconds } from '@vhostscope/terminal';
import { recordedSpan, type TraceExtent } from './recorded-span.js';
import type { PlannedTrace } from './replayable-trace.js';
import { TIME_FORMS } from './time-forms.js';

/** What is meant, before the trace is known; spans and times are in ns. */
export type TimeArgument = { readonly option: string; readonly text: string } & (
  | { readonly sinceBegin: bigint }
  | { readonly beforeEnd: bigint }
  | { readonly at: bigint }
  /** Number of a storm, from 1. */
  | { readonly storm: number }
);

const NANOSECONDS = { s: 1_000_000_000n, ms: 1_000_000n } as const;

/** @throws ProgramError naming the option */
export function readTimeArgument(option: string, text: string): TimeArgument {
  const given = { option, text };
  const storm = /^storm:([1-9]\d{0,8})$/.exec(text)?.[1];
  if (storm !== undefined) return { ...given, storm: Number(storm) };
  const [, sign, whole, fraction = '', unit] =
    /^(-?)(\d{1,19})(?:\.(\d{1,9}))?(s|ms)?$/.exec(text) ?? [];
  if (whole === undefined || (unit === undefined && sign === '-'))
    throw new ProgramError(`${option} takes a moment of the trace, not "${text}"`, {
      advice: `a moment is ${TIME_FORMS}`,
    });
  const isTime = unit === undefined;
  if (isTime && fraction === '') return { ...given, at: BigInt(whole) };
  const scale = NANOSECONDS[unit === 'ms' ? 'ms' : 's'];
  const ns = BigInt(whole) * scale + (BigInt(fraction.padEnd(9, '0')) * scale) / NANOSECONDS.s;
  if (isTime) return { ...given, at: ns };
  return sign === '-' ? { ...given, beforeEnd: ns } : { ...given, sinceBegin: ns };
}

/** Of all recordings of a trace; where none tells when it was, both are 0. */
export function extentOf({ fd, index }: Pick<PlannedTrace, 'fd' | 'index'>): TraceExtent {
  const all = index.recordings.flatMap((recording) => recordedSpan(fd, recording) ?? []);
  return {
    first: all.reduce((least, { first }) => (first < least ? first : least), all[0]?.first ?? 0n),
    last: all.reduce((most, { last }) => (last > most ? last : most), 0n),
  };
}

/** When a storm begins and ends, ns. */
export type FindStorm = (storm: number) => { readonly begin: bigint; readonly end: bigint };

/**
 * The moment in ns. A storm is its beginning, or for `--to` just behind its last event.
 *
 * @throws ProgramError where the trace does not reach so far, or where a number cannot be the clock's
 */
export function resolveTime(
  argument: TimeArgument,
  { first, last }: TraceExtent,
  findStorm: FindStorm,
): bigint {
  const { option, text } = argument;
  if ('at' in argument) {
    if (argument.at < first && isUnlikelyClock(argument)) throw missesUnit(argument, first);
    return argument.at;
  }
  if ('storm' in argument) {
    const { begin, end } = findStorm(argument.storm);
    return option === '--to' ? end + 1n : begin;
  }
  const distance = 'beforeEnd' in argument ? argument.beforeEnd : argument.sinceBegin;
  if (distance > last - first)
    throw new ProgramError(`${option} ${text} is outside of the trace`, {
      advice: `it lasts ${seconds(last - first)}, from ${first} to ${last} ns`,
    });
  return 'beforeEnd' in argument ? last - distance : first + distance;
}

/** Less than a second after the clock's zero, or with a point: rather meant from the first event. */
function isUnlikelyClock({ at, text }: { at: bigint; text: string }): boolean {
  return at > 0n && (at < NANOSECONDS.s || text.includes('.'));
}

function missesUnit(
  { option, text }: { option: string; text: string },
  first: bigint,
): ProgramError {
  const unit = text.includes('.') ? 's' : 'ns';
  return new ProgramError(
    `${option} ${text} means ${text} ${unit} of the clock, and the trace begins at ${first} ns`,
    { advice: `from the first event on it is ${option} ${text}s, or ${text}ms` },
  );
}
