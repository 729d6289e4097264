/** From the facts of a host to the bpftrace program that records it, and what is known at the start. */
import { AREAS, type FieldName } from '@vhostscope/model';
import type { TraceHeader } from '@vhostscope/trace';
import type { BpftraceCommand } from './attach/bpftrace-process.js';
import { BlockedHostError, type Blocker } from './blocked-host.js';
import { findingsOf } from './doctor/findings.js';
import type { HostFacts } from './host/host-facts.js';
import type { PerfCommand } from './perf-recording/perf-command.js';
import type { Detail } from './probe-plan/detail.js';
import { tellsDecisions } from './probe-plan/direct-map-plan.js';
import { LOOKED_AT_PAGES } from './probe-plan/page-look-plan.js';
import { privilegesOf } from './privileges/planned-privileges.js';
import type { RecorderPrivileges } from './privileges/recorder-privileges.js';
import { planProbes, type PlanRefusal, type ProbePlan } from './probe-plan/probe-plan.js';
import {
  BUFFER_MIB,
  dialectOf,
  isTested,
  versionNumbers,
  type BpftraceDialect,
} from './recording-program/bpftrace-dialects.js';
import { bpftraceProgram } from './recording-program/bpftrace-program.js';
import { LINE_CLASSES } from './recording-program/emitted-lines.js';

/** What can record. */
export const RECORDERS = ['bpftrace', 'perf'] as const;

export type RecorderName = (typeof RECORDERS)[number];

export interface RecordingRequest {
  readonly detail: Detail;
  /** What records; bpftrace, unless something else is asked for. */
  readonly recorder?: RecorderName | undefined;
  /** MiB for lines that bpftrace has not read yet; of each CPU up to bpftrace 0.18, of all since. */
  readonly bufferMiB?: number | undefined;
  /** Real user of what records, who may send it signals; root, unless somebody else is asked for. */
  readonly realUser?: number | undefined;
}

/** All that a recording needs to know of its host. */
export interface RecordingPlan {
  readonly command: BpftraceCommand | PerfCommand;
  /** Lines that are counted together, and the field of a heartbeat that counts them. */
  readonly classes: readonly {
    readonly name: string;
    readonly field: FieldName;
    readonly kinds: readonly number[];
  }[];
  /** By area: with so many pages, or fewer, it is looked at by the program. */
  readonly lookedAtPages: readonly number[];
  readonly header: Pick<TraceHeader, 'preemption' | 'host' | 'probes' | 'program'>;
  /** What the user is to know before the recording begins, one sentence each. */
  readonly remarks: readonly string[];
}

/** With bpftrace. */
export interface BpftraceRecording extends RecordingPlan {
  readonly plan: ProbePlan;
  readonly command: BpftraceCommand;
}

/** What can be said of a recording of a host, also where it is not ready. */
export interface RecordingOutlook<Recording extends RecordingPlan = RecordingPlan> {
  /** In the order in which they are best put right; none when the host can be recorded. */
  readonly blockers: readonly Blocker[];
  /** What would be recorded; undefined where the host cannot be, or too little is known of it. */
  readonly recording: Recording | undefined;
  /** Why there is no plan of a recording, and what is known of it; undefined where there is one. */
  readonly refusal: PlanRefusal | undefined;
  /** What the user is to know before the recording begins, one sentence each. */
  readonly remarks: readonly string[];
}

/** @throws BlockedHostError when the host cannot be recorded */
export function planRecording(facts: HostFacts, request: RecordingRequest): BpftraceRecording {
  return recordingOrBlocked(outlookOf(facts, request));
}

/** @throws BlockedHostError when there is none */
export function recordingOrBlocked<Recording extends RecordingPlan>({
  blockers,
  recording,
}: RecordingOutlook<Recording>): Recording {
  const [first, ...others] = blockers;
  if (first !== undefined) throw new BlockedHostError([first, ...others]);
  if (recording === undefined)
    throw new BlockedHostError([{ reason: 'this host cannot be recorded', advice: undefined }]);
  return recording;
}

export function outlookOf(
  facts: HostFacts,
  request: RecordingRequest,
): RecordingOutlook<BpftraceRecording> {
  return outlookWith(facts, planProbes(facts, request.detail), (plan, remarks) =>
    recordingOf(facts, plan, remarks, request),
  );
}

/** @param record the recording of a plan */
export function outlookWith<Plan extends object, Recording extends RecordingPlan>(
  facts: HostFacts,
  plan: Plan | PlanRefusal,
  record: (plan: Plan, remarks: readonly string[]) => Recording,
): RecordingOutlook<Recording> {
  const findings = findingsOf(facts);
  const blockers = findings
    .filter(({ verdict }) => verdict === 'blocked')
    .map(({ found, cost, change }): Blocker => ({
      reason: `${found}: ${cost ?? 'nothing can be recorded'}`,
      advice: change,
    }));
  const remarks = findings
    .filter(({ verdict }) => verdict === 'limited')
    .map(({ found, cost }) => (cost === undefined ? found : `${found}: ${cost}`));
  if (!('reason' in plan))
    return { blockers, recording: record(plan, remarks), refusal: undefined, remarks };
  // That no round begins is no news where something else is in the way of seeing it.
  const isNews = plan.lacks !== 'rounds' || blockers.length === 0;
  return {
    blockers: isNews ? [...blockers, { reason: plan.reason, advice: plan.advice }] : blockers,
    recording: undefined,
    refusal: plan,
    remarks,
  };
}

function recordingOf(
  facts: HostFacts,
  plan: ProbePlan,
  remarks: readonly string[],
  request: RecordingRequest,
): BpftraceRecording {
  const { bpftrace } = facts;
  const dialect = dialectOf(versionNumbers(bpftrace?.version));
  const program = bpftraceProgram(plan, dialect);
  const privileges = privilegesOf(facts, request);
  return {
    plan,
    command: {
      recorder: 'bpftrace',
      path: bpftrace?.path ?? 'bpftrace',
      // Whole lines, as soon as they are printed; the program comes from standard input.
      args: ['-B', 'line', '-'],
      env: bpftraceEnvironment(dialect, request.bufferMiB),
      privileges,
      types: privileges.capabilities?.includes('sys_admin') === false ? MODULE_TYPES : undefined,
      program,
    },
    classes: LINE_CLASSES,
    lookedAtPages: AREAS.map((area) => (plan.looks === undefined ? 0 : LOOKED_AT_PAGES[area])),
    header: {
      ...hostOfHeader(facts, privileges),
      probes: {
        detail: plan.detail,
        ...(tellsDecisions(plan.directMap) && { hostKind: 'direct-map' as const }),
        views: plan.views.map((view) => ({ ...view, by: [...view.by] })),
      },
      program,
    },
    remarks,
  };
}

/** What a trace says of its host. */
export function hostOfHeader(
  { kernel, memory, bpftrace, perf }: HostFacts,
  { capabilities }: RecorderPrivileges,
): Pick<TraceHeader, 'preemption' | 'host'> {
  const version = versionNumbers(bpftrace?.version);
  const host = {
    kernel: kernel.release,
    architecture: kernel.architecture,
    ...(perf === undefined
      ? {
          ...(bpftrace?.version !== undefined && { bpftrace: bpftrace.version }),
          bpftraceTested: version !== undefined && isTested(version),
        }
      : { perf: perf.program?.version ?? 'unknown' }),
    ...(capabilities !== undefined && { recorderCapabilities: [...capabilities] }),
    ...(kernel.cpuModel !== undefined && { cpu: kernel.cpuModel }),
    ...(kernel.smap !== undefined && { smap: kernel.smap }),
    ...(memory.thp !== undefined && { thp: memory.thp }),
    ...(memory.ksm !== undefined && { ksm: memory.ksm }),
    ...(memory.numaBalancing !== undefined && { numaBalancing: memory.numaBalancing }),
    numaNodes: memory.numaNodes,
    ...(memory.swapBytes !== undefined && { swapBytes: memory.swapBytes }),
  };
  return { ...(kernel.preemption !== undefined && { preemption: kernel.preemption }), host };
}

/** What the program reads the structs of. */
const MODULE_TYPES = ['/sys/kernel/btf/vmlinux', '/sys/kernel/btf/vhost'] as const;

const PAGES_OF_MIB = 256;

/**
 * Old and new names of the settings: each version ignores those it does not know (reference §3.13). Up to
 * 0.18 the buffer is of each CPU, and its pages are a power of two (§3.9).
 */
function bpftraceEnvironment(
  { buffer }: BpftraceDialect,
  bufferMiB: number | undefined,
): Record<string, string> {
  const wanted = bufferMiB ?? BUFFER_MIB[buffer];
  const pages = 2 ** Math.floor(Math.log2(Math.max(1, wanted * PAGES_OF_MIB)));
  return {
    BPFTRACE_PERF_RB_PAGES: String(pages),
    BPFTRACE_COLOR: 'never',
    BPFTRACE_MISSING_PROBES: 'error',
  };
}
