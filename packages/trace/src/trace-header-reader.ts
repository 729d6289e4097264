/** Reads what a trace file says about itself; apart from its writing, which needs no zod. */
import { z } from 'zod';
import { FORMAT, FORMAT_VERSION, TraceFormatError, type TraceHeader } from './trace-header.js';

/** What a live recording would see or has seen, by which probes, and how surely. */
export const recordedProbesSchema = z.object({
  detail: z.enum(['rounds', 'calls', 'accesses']),
  /**
   * What the recording is judged as: `direct-map` where it tells each access with its decision, and vhost's
   * own callbacks. Absent, as in older traces: `stock`.
   */
  hostKind: z.enum(['direct-map', 'stock']).optional(),
  views: z.array(
    z.object({
      what: z.string(),
      certainty: z.enum(['exact', 'by rule', 'estimated', 'invisible']),
      /** Functions that are probed, or files that are read. */
      by: z.array(z.string()),
      note: z.string(),
    }),
  ),
});

/** What is known when a trace is begun. What is not known is absent. */
export const traceHeaderSchema = z.object({
  /** Where the events came from: file names as given, `-` for standard input. */
  sources: z.array(z.string()),
  /** Program that wrote the file, with its version. */
  writer: z.string(),
  /** Clock of `time`: perf and ftrace have others unless they are told, and mostly do not say which. */
  clock: z.enum(['CLOCK_BOOTTIME', 'unknown']),
  /** ns that a step of the times is, where the source told them more coarsely; absent: 1. */
  timeStep: z.number().int().positive().optional(),
  /** Preemption of the recording kernel; absent when the recording does not say. */
  preemption: z.enum(['voluntary', 'full']).optional(),
  /** The `pointer` column holds kernel addresses. */
  keepsPointers: z.boolean(),
  /** The host that was recorded live. */
  host: z
    .object({
      kernel: z.string(),
      architecture: z.string(),
      bpftrace: z.string().optional(),
      /** Whether the program was ever held against the truth with that version. */
      bpftraceTested: z.boolean().optional(),
      /** Version of perf, where that recorded. */
      perf: z.string().optional(),
      /** Capabilities that what recorded was bounded to; absent: all that root has. */
      recorderCapabilities: z.array(z.string()).optional(),
      cpu: z.string().optional(),
      /** Supervisor mode access prevention. */
      smap: z.boolean().optional(),
      /** Transparent huge pages: always, madvise or never. */
      thp: z.string().optional(),
      ksm: z.boolean().optional(),
      numaBalancing: z.boolean().optional(),
      numaNodes: z.number().int().nonnegative(),
      swapBytes: z.number().nonnegative().optional(),
    })
    .optional(),
  /** What a live recording rests on. */
  probes: recordedProbesSchema.optional(),
  /** Of a trace that was merged of several: what of it came from where. */
  merged: z
    .object({
      /** Whether the sources tell of one host, so that what two of them tell twice is taken once, or each of its own. */
      hosts: z.enum(['one', 'different']),
      sources: z.array(
        z.object({
          name: z.string(),
          /** ns that were added to its times, as the user said; absent where nothing was said. */
          clockOffset: z
            .string()
            .regex(/^-?\d+$/)
            .optional(),
          /** What its CPUs and its processes are numbered from here: added to their numbers. */
          firstCpu: z.number().int().nonnegative(),
          firstProcess: z.number().int().nonnegative(),
          /** Ids of its virtqueues in this trace, ascending; absent where the sources are of one host. */
          virtqueues: z.array(z.number().int().nonnegative()).optional(),
          /** Its first and last event, ns, in the times of this trace. */
          first: z.string().regex(/^\d+$/),
          last: z.string().regex(/^\d+$/),
          /** Whether it is text of perf, ftrace or trace-cmd, of which whoever recorded picked the events. */
          isPicked: z.boolean(),
        }),
      ),
    })
    .optional(),
  /** The bpftrace program, or the probes of perf, that recorded it. */
  program: z.string().optional(),
});

/** Version of a file's format. Throws TraceFormatError when the file is not ours or is too new. */
export function parseFormatVersion(metadata: ReadonlyMap<string, string>): number {
  if (metadata.get('format') !== FORMAT) {
    throw new TraceFormatError('an Arrow stream, but not a vhostscope trace');
  }
  const version = /^\d{1,9}$/.exec(metadata.get('format_version') ?? '')?.[0];
  if (version === undefined)
    throw new TraceFormatError('a vhostscope trace without a readable format version');
  if (Number(version) < 1 || Number(version) > FORMAT_VERSION) {
    throw new TraceFormatError(
      `trace format ${version}; this program reads up to ${FORMAT_VERSION}`,
    );
  }
  return Number(version);
}

/** Reads the header back. Throws TraceFormatError when it is none. */
export function parseHeader(metadata: ReadonlyMap<string, string>): TraceHeader {
  const header = traceHeaderSchema.safeParse(readJson(metadata.get('header') ?? ''));
  if (!header.success) {
    const [issue] = header.error.issues;
    const where =
      issue === undefined || issue.path.length === 0 ? '' : ` at ${issue.path.join('.')}`;
    throw new TraceFormatError(`unreadable trace header${where}: ${issue?.message ?? ''}`);
  }
  return header.data;
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
