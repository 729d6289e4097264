/** Finds the event that `replay explain` is asked for. */
import { KIND, NO_VQ, timeAt } from '@vhostscope/model';
import { counted, grouped, ProgramError } from '@vhostscope/terminal';
import { visitTrace, type OpenTrace } from '@vhostscope/trace';
import { listVirtqueues } from './recording-list.js';
import { readStormRate, stormFinder } from './find-storms.js';
import { hostKindOf } from './replayable-trace.js';
import { extentOf, readTimeArgument, resolveTime, type TimeArgument } from './time-argument.js';

export interface ExplainOptions {
  /** Number of an access from 1, or a moment, see time-argument.ts. As typed. */
  readonly access?: string;
  readonly at?: string;
  /** Id of a virtqueue, as typed. */
  readonly vq?: string;
  readonly stormRate?: string;
}

export interface Target {
  /** Place among all events of the trace in time order, from 0. */
  readonly place: number;
  readonly vq: number;
}

/** Understands the options before the trace is read. */
export type Wanted = ({ readonly access: bigint } | { readonly at: TimeArgument }) & {
  readonly vq: number | undefined;
  readonly stormRate: number;
};

export function readWanted({ access, at, vq, stormRate }: ExplainOptions): Wanted {
  if ((access === undefined) === (at === undefined)) {
    const which = access === undefined ? 'which event?' : 'which of the two events?';
    throw new ProgramError(`${which} explain takes one of --at TIME and --access N`, {
      advice: 'for example --access 1, or --at with a time within those of its events',
    });
  }
  const id = vq === undefined ? undefined : Number(wholeNumber('--vq', vq));
  const common = { vq: id, stormRate: readStormRate(stormRate) };
  if (access !== undefined) return { access: wholeNumber('--access', access), ...common };
  return { at: readTimeArgument('--at', at ?? ''), ...common };
}

function wholeNumber(option: string, text: string): bigint {
  if (/^\d{1,18}$/.test(text)) return BigInt(text);
  throw new ProgramError(`${option} takes a whole number, not "${text}"`);
}

/** Looks through the whole trace, so that an error can name the legal range. */
export function findTarget(trace: OpenTrace, wanted: Wanted): Target {
  const { vq } = wanted;
  const known = listVirtqueues(trace).map(({ id }) => id);
  if (vq !== undefined && !known.includes(vq)) {
    throw new ProgramError(`there is no virtqueue ${vq} in ${trace.name}`, {
      advice: `its virtqueues are: ${known.join(', ')}`,
    });
  }
  if ('access' in wanted && hostKindOf(trace) === 'stock')
    throw new ProgramError(
      `${trace.name} is a recording of a stock host, whose accesses are counted by round and have no numbers`,
      { advice: 'use --at with the time of a round or of its end' },
    );
  if ('access' in wanted) return findAccess(trace, wanted.access, vq);
  return findTime(
    trace,
    resolveTime(wanted.at, extentOf(trace), stormFinder(trace, wanted.stormRate)),
    vq,
  );
}

const of = (vq: number | undefined): string => (vq === undefined ? '' : ` of vq ${vq}`);

function findAccess(trace: OpenTrace, wanted: bigint, only: number | undefined): Target {
  let place = 0;
  let found: Target | undefined;
  let accesses = 0n;
  visitTrace(trace.fd, trace.index, ({ kind, vq, n }, from, to) => {
    for (let i = from; i < to; i++, place++) {
      if (kind[i] !== KIND.access || (only !== undefined && vq[i] !== only)) continue;
      accesses += BigInt(n[i] ?? 0);
      if (found === undefined && wanted > 0n && accesses >= wanted)
        found = { place, vq: vq[i] ?? 0 };
    }
  });
  if (found !== undefined) return found;
  throw new ProgramError(`there is no access ${grouped(wanted)}${of(only)} in ${trace.name}`, {
    advice:
      accesses === 0n
        ? `it has no access${of(only)}`
        : `it has ${counted(accesses, 'access', 'accesses')}${of(only)}: --access takes 1 to ${accesses}`,
  });
}

/** The last event that names a virtqueue, at the time or before. */
function findTime(trace: OpenTrace, wanted: bigint, only: number | undefined): Target {
  let place = 0;
  let found: Target | undefined;
  let first: bigint | undefined;
  let last: bigint | undefined;
  visitTrace(trace.fd, trace.index, (batch, from, to) => {
    const { kind, vq } = batch;
    for (let i = from; i < to; i++, place++) {
      const id = vq[i] ?? NO_VQ;
      if (id === NO_VQ || kind[i] === KIND.virtqueue || (only !== undefined && id !== only))
        continue;
      const at = timeAt(batch, i);
      if (first === undefined || at < first) first = at;
      if (last === undefined || at > last) last = at;
      if (at <= wanted) found = { place, vq: id };
    }
  });
  if (found !== undefined && last !== undefined && wanted <= last) return found;
  throw new ProgramError(`no event${of(only)} of ${trace.name} is at ${wanted} ns`, {
    advice:
      first === undefined || last === undefined
        ? `it has no event${of(only)}`
        : `its events${of(only)} are from ${first} to ${last} ns: --at takes a time between them`,
  });
}
