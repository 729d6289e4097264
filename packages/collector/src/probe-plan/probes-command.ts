/** `collector probes`: what a recording of this host would see, how, and how surely. */
import { EXIT, jsonDocument, printable, writeOut } from '@vhostscope/terminal';
import type { z } from 'zod';
import { readHostFacts } from '../host/host-facts.js';
import type { HostSources } from '../host/host-sources.js';
import { planRecording } from '../plan-recording.js';
import type { Detail } from './detail.js';
import { planText } from './plan-text.js';
import type { probesResultSchema } from './probes-result-schema.js';

export interface ProbesOptions {
  readonly detail: Detail;
  /** Program to run. */
  readonly bpftrace: string;
  /** Print the bpftrace program instead of the plan. */
  readonly program?: boolean;
  readonly json?: boolean;
}

/**
 * Prints the plan; returns the exit code.
 *
 * @throws ProgramError with exit code 3 when the host cannot be recorded
 */
export async function probesCommand(options: ProbesOptions, sources: HostSources): Promise<number> {
  const facts = await readHostFacts(sources, options.bpftrace);
  const { plan, command, remarks } = planRecording(facts, { detail: options.detail });
  const result: z.infer<typeof probesResultSchema> = {
    detail: plan.detail,
    views: plan.views.map((view) => ({ ...view, by: [...view.by] })),
    remarks: [...remarks],
    program: command.program,
    arguments: [...command.args],
    environment: { ...command.env },
  };
  if (options.json === true) await writeOut(jsonDocument(result));
  else if (options.program === true) await writeOut(command.program);
  else await writeOut(planText(plan, remarks.map(printable)));
  return EXIT.done;
}
