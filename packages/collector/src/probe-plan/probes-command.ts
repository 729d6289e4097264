/** `collector probes`: what a recording of this host would see, how, and how surely. */
import { EXIT, jsonDocument, printable, say, writeOut } from '@vhostscope/terminal';
import type { z } from 'zod';
import type { Blocker } from '../blocked-host.js';
import { readHostFacts } from '../host/host-facts.js';
import type { HostSources } from '../host/host-sources.js';
import { perfOutlookOf } from '../perf-recording/plan-perf-recording.js';
import { outlookOf, type RecordingOutlook, type RecorderName } from '../plan-recording.js';
import type { Detail } from './detail.js';
import { planText } from './plan-text.js';
import type { PlanRefusal } from './probe-plan.js';
import type { probesResultSchema } from './probes-result-schema.js';

export interface ProbesOptions {
  readonly detail: Detail;
  /** Program to run. */
  readonly bpftrace: string;
  /** What would record. */
  readonly with?: RecorderName;
  /** Print the bpftrace program, or the probes of perf, instead of the plan. */
  readonly program?: boolean;
  /** Print the probes of a recording with perf. */
  readonly perf?: boolean;
  readonly json?: boolean;
}

/** Prints the plan, as far as there is one; returns the exit code: 3 when the host cannot be recorded. */
export async function probesCommand(options: ProbesOptions, sources: HostSources): Promise<number> {
  const { detail } = options;
  const { blockers, recording, refusal, remarks } = await outlook(options, sources);
  const command = recording?.command;
  const program = command?.program;
  const views = recording?.header.probes?.views ?? refusal?.views ?? [];
  const result: z.infer<typeof probesResultSchema> = {
    ...(recording?.header.probes ?? {
      detail,
      views: views.map((view) => ({ ...view, by: [...view.by] })),
    }),
    no_plan: refusal?.reason ?? null,
    remarks: [...remarks],
    blockers: blockers.map(({ reason, advice }) => ({ reason, change: advice ?? null })),
    program: program ?? null,
    arguments: command?.recorder === 'bpftrace' ? [...command.args] : [],
    environment: command?.recorder === 'bpftrace' ? { ...command.env } : {},
  };
  if (options.json === true) await writeOut(jsonDocument(result));
  else if (options.program === true || options.perf === true) {
    for (const { reason } of blockers) say('collector', reason);
    await writeOut(program ?? '');
  } else {
    const parts = blockers.length > 0 ? [blockerText(blockers)] : [];
    if (refusal !== undefined) parts.push(refusalText(refusal));
    if (views.length > 0) parts.push(planText({ detail, views }, remarks.map(printable)));
    await writeOut(parts.join('\n'));
  }
  return blockers.length === 0 ? EXIT.done : EXIT.host;
}

async function outlook(options: ProbesOptions, sources: HostSources): Promise<RecordingOutlook> {
  const { detail, bpftrace } = options;
  if (options.perf !== true && options.with !== 'perf')
    return outlookOf(await readHostFacts(sources, bpftrace), { detail });
  return perfOutlookOf(await readHostFacts(sources, bpftrace, 'perf'), { detail });
}

function refusalText({ reason, views }: PlanRefusal): string {
  const rest =
    views.length > 0
      ? '; as far as the host tells, a recording would see'
      : ', and nothing of it can be told';
  return `no whole plan: ${printable(reason)}${rest}\n`;
}

function blockerText(blockers: readonly Blocker[]): string {
  const lines = blockers.flatMap(({ reason, advice }) => [
    `BLOCKED  ${printable(reason)}`,
    ...(advice === undefined ? [] : [`         change: ${printable(advice)}`]),
  ]);
  return `${lines.join('\n')}\n`;
}
