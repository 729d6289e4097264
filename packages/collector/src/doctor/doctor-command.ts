/** `collector doctor`: can this host be recorded, and what should be changed? */
import { EXIT, jsonDocument, printable, writeOut } from '@vhostscope/terminal';
import type { z } from 'zod';
import { readHostFacts } from '../host/host-facts.js';
import type { HostSources } from '../host/host-sources.js';
import type { RecorderName } from '../plan-recording.js';
import type { doctorResultSchema } from './doctor-result-schema.js';
import { findingsOf, type Finding, type Verdict } from './findings.js';

export interface DoctorOptions {
  /** What would record. */
  readonly with?: RecorderName;
  /** Program to run. */
  readonly bpftrace: string;
  readonly json?: boolean;
}

/** Prints the findings; returns the exit code: 3 when nothing can be recorded. */
export async function doctorCommand(
  { bpftrace, json, with: recorder }: DoctorOptions,
  sources: HostSources,
): Promise<number> {
  const facts = await readHostFacts(sources, bpftrace, recorder === 'perf' ? 'perf' : undefined);
  const findings = findingsOf(facts);
  const canRecord = findings.every(({ verdict }) => verdict !== 'blocked');
  const result: z.infer<typeof doctorResultSchema> = {
    can_record: canRecord,
    findings: findings.map(({ id, verdict, found, cost, change }) => ({
      id,
      verdict,
      found,
      cost: cost ?? null,
      change: change ?? null,
    })),
    devices: [...facts.vhost.devices],
  };
  await writeOut(json === true ? jsonDocument(result) : doctorText(findings, canRecord));
  return canRecord ? EXIT.done : EXIT.host;
}

const MARK: Readonly<Record<Verdict, string>> = {
  ok: 'ok     ',
  limited: 'LIMITED',
  blocked: 'BLOCKED',
};

function doctorText(findings: readonly Finding[], canRecord: boolean): string {
  const lines = findings.flatMap(({ verdict, found, cost, change }) => [
    `${MARK[verdict]}  ${printable(found)}`,
    ...(cost === undefined ? [] : [`         costs: ${printable(cost)}`]),
    ...(change === undefined ? [] : [`         change: ${printable(change)}`]),
  ]);
  const answer = canRecord
    ? 'yes: collector attach can record this host'
    : 'no: collector attach cannot record this host';
  return `${[...lines, '', answer].join('\n')}\n`;
}
