/** How an anonymised export says that it was judged: by whom and how, and not of which host. */
import { counted } from '@vhostscope/terminal';
import type { OpenTrace } from '@vhostscope/trace';
import type { Completeness } from '../../completeness.js';
import type { Replayed } from '../../replay-trace.js';
import { headOf, type ResultHead } from '../../result-head.js';
import { anonymousLosses } from './anonymous-notes.js';

const NAME = 'anonymised';

export function anonymousHead(
  trace: OpenTrace,
  replayed: Replayed,
  { complete, lost, damage }: Completeness,
): ResultHead {
  const head = headOf(withoutNames(trace), replayed, {
    complete,
    lost: anonymousLosses(lost),
    // Its sentences name the files, and quote what could not be read.
    damage:
      damage.length === 0
        ? []
        : [`${counted(damage.length, 'problem')} of the input, of which nothing is told here`],
    problems: [],
  });
  const isLive = trace.index.header.host !== undefined || trace.index.header.merged !== undefined;
  return { ...head, live_since: isLive ? '0' : null };
}

/** What sentences and hosts of a head are made of. */
function withoutNames(trace: OpenTrace): OpenTrace {
  const { merged, ...header } = trace.index.header;
  return {
    ...trace,
    name: NAME,
    damage: [],
    index: {
      ...trace.index,
      header: {
        ...header,
        sources: [],
        ...(merged !== undefined && {
          merged: {
            ...merged,
            sources: merged.sources.map((source, at) => ({ ...source, name: `source ${at + 1}` })),
          },
        }),
      },
    },
  };
}
