/** The storms of a trace, in one pass; with an engine, what was accessed in each of them. */
import {
  addSample,
  createStorms,
  DEFAULT_STORM_RATE,
  MOST_STORM_RATE,
  SAMPLE_SIZE,
  timeAt,
  type Engine,
  type Storm,
  type Storms,
} from '@vhostscope/model';
import { counted, ProgramError } from '@vhostscope/terminal';
import { visitTrace, type OpenTrace, type RunVisitor } from '@vhostscope/trace';
import { hostKindOf } from './replayable-trace.js';
import type { FindStorm } from './time-argument.js';

export interface FoundStorms {
  readonly storms: readonly Storm[];
  readonly classOf: Storms['classOf'];
}

/** What --storm-rate says. @throws ProgramError when it is no rate */
export function readStormRate(text: string | undefined): number {
  if (text === undefined) return DEFAULT_STORM_RATE;
  if (/^[1-9]\d{0,5}$/.test(text) && Number(text) <= MOST_STORM_RATE) return Number(text);
  throw new ProgramError(
    `--storm-rate takes ranges per second, 1 to ${MOST_STORM_RATE}, not "${text}"`,
  );
}

/** What is sampled of a device, SAMPLE_SIZE numbers each: all its virtqueues, then those that transmit. */
export const SAMPLED_TRANSMIT = SAMPLE_SIZE;

/**
 * What an engine has counted of a device's virtqueues so far. Each is gone through once: that is most of what a range
 * costs.
 */
export function sampleStorm(
  { tallies }: Engine,
  transmits: ReadonlySet<number>,
  virtqueues: ReadonlySet<number>,
): number[] {
  const sample = NOTHING.slice();
  for (const vq of virtqueues)
    addSample(tallies, vq, sample, transmits.has(vq) ? SAMPLED_TRANSMIT : 0);
  for (let place = 0; place < SAMPLE_SIZE; place++)
    sample[place] = (sample[place] ?? 0) + (sample[SAMPLED_TRANSMIT + place] ?? 0);
  return sample;
}

const NOTHING: readonly number[] = Array.from({ length: 2 * SAMPLE_SIZE }, () => 0);

/**
 * All storms, in the order in which they were noticed.
 *
 * @param engine consumes the trace on the way; a fresh one
 * @param transmits which virtqueues transmit
 * @param through what stands between the trace and who visits it
 */
export function findStorms(
  trace: OpenTrace,
  rate: number,
  engine?: Engine,
  transmits: ReadonlySet<number> = new Set(),
  through: (visit: RunVisitor) => RunVisitor = (visit) => visit,
): FoundStorms {
  const found: Storm[] = [];
  const storms = createStorms({
    rate,
    host: hostKindOf(trace),
    ...(engine !== undefined && {
      sample: (virtqueues) => sampleStorm(engine, transmits, virtqueues),
    }),
    onOver: (storm) => found.push(storm),
  });
  const { wants } = storms;
  let last = 0n;
  const visit: RunVisitor = (batch, from, to) => {
    let begin = from;
    for (let i = from; i < to; i++) {
      if (wants[batch.kind[i] ?? 0] === 0) continue;
      if (i > begin) engine?.consume(batch, begin, i);
      begin = i;
      storms.consume(batch, i);
    }
    engine?.consume(batch, begin, to);
    if (to > from) last = timeAt(batch, to - 1);
  };
  visitTrace(trace.fd, trace.index, through(visit));
  // A range may be under way up to the end.
  storms.active(last);
  storms.finish();
  engine?.finish();
  return {
    storms: found.toSorted((a, b) => a.number - b.number),
    classOf: (recording, stack) => storms.classOf(recording, stack),
  };
}

/** Where a storm is, by its number: what `storm:2` stands for. */
export function stormFinder(trace: OpenTrace, rate: number): FindStorm {
  let storms: readonly Storm[] | undefined;
  return (number) => {
    storms ??= findStorms(trace, rate).storms;
    const found = storms[number - 1];
    if (found !== undefined) return found;
    throw new ProgramError(`there is no storm ${number} in ${trace.name}`, {
      advice:
        storms.length === 0
          ? `it has none of ${counted(rate, 'range')} a second or more: replay storms --storm-rate takes another limit`
          : `it has ${counted(storms.length, 'storm')}: replay storms lists them`,
    });
  };
}
