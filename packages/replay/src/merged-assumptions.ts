/** What an answer about a trace that was merged of several takes for granted: of none of them it is known when it was recorded. */
import { seconds } from '@vhostscope/terminal';
import type { PlannedTrace } from './replayable-trace.js';

/** In sentences; nothing of other traces. */
export function mergedAssumptions({ index }: PlannedTrace): string[] {
  const { merged } = index.header;
  if (merged === undefined) return [];
  const { hosts, sources } = merged;
  const moved = sources.filter(({ clockOffset }) => clockOffset !== undefined);
  const first = sources.reduce((least, source) => min(least, BigInt(source.first)), MOST);
  const spans = sources.map(
    ({ name, ...span }) =>
      `${name} from ${seconds(BigInt(span.first) - first)} to ${seconds(BigInt(span.last) - first)}`,
  );
  return [
    ...(hosts === 'one' ? ['the merged files are of one host and of one boot of it'] : []),
    ...(hosts === 'one'
      ? [
          `each of the merged files was recorded all the time, and not only while it tells events: ${spans.join(', ')}`,
        ]
      : []),
    ...(moved.length === 0
      ? []
      : [
          `the clocks of ${moved.map(({ name }) => name).join(', ')} are off by what --offset said${
            hosts === 'one' ? ', to the ns, and run as fast as the others' : ''
          }`,
        ]),
  ];
}

const MOST = 1n << 63n;

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
