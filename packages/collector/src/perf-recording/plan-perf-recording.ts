/** From the facts of a host to the probes and the command line of perf that record it. */
import type { HostFacts } from '../host/host-facts.js';
import {
  hostOfHeader,
  outlookWith,
  type RecordingOutlook,
  type RecordingPlan,
  type RecordingRequest,
} from '../plan-recording.js';
import { LINE_CLASSES } from '../recording-program/emitted-lines.js';
import { privilegesOf } from '../privileges/planned-privileges.js';
import { PERF_BUFFER_MIB, perfProgram } from './perf-command.js';
import { planPerf } from './perf-plan.js';

export function perfOutlookOf(
  facts: HostFacts,
  { detail, bufferMiB }: RecordingRequest,
): RecordingOutlook {
  const buffer = wholeMiB(bufferMiB ?? PERF_BUFFER_MIB);
  const tracefs = facts.tracefs ?? '/sys/kernel/tracing';
  const privileges = privilegesOf(facts);
  return outlookWith(facts, planPerf(facts, detail), (plan, remarks): RecordingPlan => {
    const { definitions, mutexOffset, views } = plan;
    const program = perfProgram(definitions, tracefs, buffer);
    return {
      command: {
        recorder: 'perf',
        path: facts.perf?.program?.path ?? 'perf',
        tracefs,
        definitions,
        mutexOffset,
        bufferMiB: buffer,
        privileges,
        program,
      },
      classes: LINE_CLASSES,
      // perf cannot walk page tables: all are looked at from here.
      lookedAtPages: [0, 0, 0],
      header: {
        ...hostOfHeader(facts, privileges),
        probes: {
          detail: plan.detail,
          views: views.map((view) => ({ ...view, by: [...view.by] })),
        },
        program,
      },
      remarks,
    };
  });
}

/** Its buffers are a power of two of pages. */
function wholeMiB(wanted: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(wanted)));
}
