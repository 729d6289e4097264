/** What the numbers take for granted, as `replay run` has it. */
import { assumedOf, recordingAssumptions } from '@vhostscope/replay';
import type { Account } from '../account/account.js';
import type { Judgement } from '../session/survey.js';
import type { SourceTrace } from '../source/source.js';

/**
 * Of the recording: looked up again only where another judgement, recording or CPU may tell more, as the trace is
 * read for it.
 */
export type RecordingAssumptions = (
  trace: SourceTrace,
  judgement: Judgement,
  complete: boolean | null,
) => readonly string[];

export function createRecordingAssumptions(): RecordingAssumptions {
  let judged: Judgement | undefined;
  let recordings = 0;
  let cpus = 0;
  let wasComplete: boolean | null = null;
  let found: readonly string[] = [];
  return ({ name, bytes, index }, judgement, complete) => {
    const { length } = index.recordings;
    const { size } = index.recordings.at(-1)?.events ?? new Map();
    const isKnown = judgement === judged && length === recordings && size === cpus;
    if (isKnown && complete === wasComplete) return found;
    const { recorded } = judgement.plan;
    const { order } = judgement.engine;
    found = recordingAssumptions({ name, index, fd: bytes }, { ...recorded, order }, complete);
    wasComplete = complete;
    judged = judgement;
    recordings = length;
    cpus = size;
    return found;
  };
}

/** Of a stock host: what is told of a kernel that did not run. */
export function stockHostAssumptions(
  { plan: { recorded } }: Judgement,
  { chosen, virtqueues }: Account,
): string[] {
  const { design, host, preemption } = recorded;
  return host === 'stock' && design.maps !== 'never'
    ? assumedOf(virtqueues.all, chosen.engine.tallies, preemption)
    : [];
}
