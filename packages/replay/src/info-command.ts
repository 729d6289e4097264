/** `replay info`: what a trace holds. */
import {
  counted,
  EXIT,
  grouped,
  jsonDocument,
  printable,
  ProgramError,
  seconds,
  tableLines,
  writeOut,
} from '@vhostscope/terminal';
import {
  checkBatches,
  recordingCounts,
  traceHeaderSchema,
  type OpenTrace,
} from '@vhostscope/trace';
import { z } from 'zod';
import type { Completeness } from './completeness.js';
import { withOpenTrace } from './opened-trace.js';
import { countRecording, listVirtqueues, type VirtqueueDescription } from './recording-list.js';
import { idsInWords } from './merged-hosts.js';
import { hostKindOf } from './replayable-trace.js';
import { listLines, numberColumn, virtqueueName, textColumn, wrapped } from './text-parts.js';

const count = z.number().int().nonnegative();

export const infoResultSchema = z.object({
  trace: z.string(),
  /** These three null where it is no trace file, but text as some program printed it. */
  format_version: count.nullable(),
  /** Where the events came from, as they were named then. */
  sources: z.array(z.string()),
  writer: z.string().nullable(),
  clock: z.string(),
  /** ns that a step of the times is. */
  time_step: count,
  preemption: z.enum(['voluntary', 'full', 'unknown']),
  /** What kind of kernel was recorded; null when the recordings are of both kinds. */
  host_kind: z.enum(['stock', 'direct-map']).nullable(),
  /** The host that was recorded live; null of an import. */
  host: traceHeaderSchema.shape.host.unwrap().nullable(),
  /** What of a merged trace came from where; null of others. */
  merged: traceHeaderSchema.shape.merged.unwrap().nullable(),
  /** What a live recording rests on; null of an import. */
  probes: traceHeaderSchema.shape.probes.unwrap().nullable(),
  /** Whether it carries checksums; where it does, all that is told of it was held against them. */
  checksums: z.boolean().nullable(),
  complete: z.boolean().nullable(),
  lost: z.record(z.string(), z.string()),
  damage: z.array(z.string()),
  recordings: z.array(
    z.object({
      /** Events by name. */
      events: z.record(z.string(), count),
      /** First and last time, ns as decimal strings. */
      first: z.string().nullable(),
      last: z.string().nullable(),
      /** Why a live recording ended; null of an import, and where the trace does not hold its end. */
      ended: z.string().nullable(),
      cpus: z.array(count),
      virtqueues: z.array(
        z.object({
          id: count,
          dev: count.nullable(),
          /**
           * Whether the address space of its rings had notifiers, without which nothing tells what
           * invalidates them; null when nobody looked.
           */
          notified: z.boolean().nullable(),
          /** Kernel address in hex; null when the trace does not keep it. */
          pointer: z.string().nullable(),
        }),
      ),
    }),
  ),
});
export type InfoResult = z.infer<typeof infoResultSchema>;

export async function infoCommand(
  path: string,
  options: { readonly json?: boolean; readonly strict?: boolean },
): Promise<number> {
  return withOpenTrace(path, options.strict === true, async (trace, completeness) => {
    // Only who looks through the events finds out that one of them was changed.
    checkBatches(trace);
    const result = infoResult(trace, completeness);
    await writeOut(options.json === true ? jsonDocument(result) : infoText(result));
    return EXIT.done;
  });
}

export function infoResult(trace: OpenTrace, completeness: Completeness): InfoResult {
  const { header, recordings, formatVersion, link } = trace.index;
  const isFile = trace.imported === undefined;
  const virtqueues = new Map<number, VirtqueueDescription[]>();
  for (const virtqueue of listVirtqueues(trace)) {
    const list = virtqueues.get(virtqueue.recording);
    if (list === undefined) virtqueues.set(virtqueue.recording, [virtqueue]);
    else list.push(virtqueue);
  }
  return {
    trace: trace.name,
    format_version: isFile ? formatVersion : null,
    sources: header.sources,
    writer: isFile ? header.writer : null,
    clock: header.clock,
    time_step: header.timeStep ?? 1,
    preemption: header.preemption ?? 'unknown',
    host_kind: hostKindOrBoth(trace),
    host: header.host ?? null,
    merged: header.merged ?? null,
    probes: header.probes ?? null,
    checksums: isFile ? link !== undefined : null,
    complete: completeness.complete,
    lost: { ...completeness.lost },
    damage: [...completeness.damage],
    recordings: recordings.map((recording) => {
      const end = recordingCounts(trace.fd, recording);
      const counts = end ?? countRecording(trace.fd, recording);
      return {
        events: counts.events,
        first: counts.first ?? null,
        last: counts.last ?? null,
        ended: end?.ended ?? null,
        cpus: [...recording.events.keys()].toSorted((a, b) => a - b),
        virtqueues: (virtqueues.get(recording.number) ?? []).map(
          ({ id, dev, notified, pointer }) => ({
            id,
            dev: dev ?? null,
            notified: notified ?? null,
            pointer: pointer?.toString(16) ?? null,
          }),
        ),
      };
    }),
  };
}

function hostKindOrBoth(trace: OpenTrace): InfoResult['host_kind'] {
  try {
    return hostKindOf(trace);
  } catch (error) {
    if (error instanceof ProgramError) return null;
    throw error;
  }
}

function infoText(result: InfoResult): string {
  const lines = [
    `trace       ${printable(result.trace)}`,
    `format      ${formatText(result)}`,
    ...(result.merged === null
      ? listLines('from       ', result.sources.map(printable))
      : mergedLines(result.merged)),
    `clock       ${result.clock === 'unknown' ? 'not known' : result.clock}${result.time_step === 1 ? '' : `, in steps of ${grouped(result.time_step)} ns`}`,
    `preemption  ${result.preemption === 'unknown' ? 'not known; if it was voluntary, --preempt voluntary lets run tell more' : result.preemption}`,
    ...(result.checksums === null ? [] : [`checksums   ${checksumText(result)}`]),
    `complete    ${completeText(result)}`,
    ...(result.host === null ? [] : hostLines(result.host)),
    ...(result.probes === null ? [] : probeLines(result.probes)),
  ];
  for (const [number, recording] of result.recordings.entries())
    lines.push('', ...recordingLines(number, recording));
  return `${lines.join('\n')}\n`;
}

function mergedLines({ hosts, sources }: NonNullable<InfoResult['merged']>): string[] {
  return [
    `merged      ${counted(sources.length, 'file')} of ${hosts === 'one' ? 'one host' : 'different hosts'}`,
    ...sources.flatMap(({ name, clockOffset, firstCpu, firstProcess, virtqueues, first, last }) =>
      wrapped(
        '            ',
        [
          `${printable(name)}: from ${first} to ${last} ns`,
          ...(clockOffset === undefined ? [] : [`${clockOffset} ns were added to its times`]),
          ...(virtqueues === undefined || virtqueues.length === 0
            ? []
            : [`its virtqueues are vq ${idsInWords(virtqueues)}`]),
          ...(firstCpu === 0 ? [] : [`its CPU 0 is ${firstCpu}`]),
          ...(firstProcess === 0 ? [] : [`${firstProcess} is added to its process numbers`]),
        ].join(', '),
      ),
    ),
  ];
}

function hostLines(host: NonNullable<InfoResult['host']>): string[] {
  const { kernel, architecture, cpu, bpftrace, bpftraceTested, perf, thp, numaNodes } = host;
  const untested = bpftraceTested === false ? ' (untested)' : '';
  const bound = host.recorderCapabilities?.map((name) => `cap_${name}`).join(', ');
  const recorder =
    (perf === undefined ? `bpftrace ${bpftrace ?? 'unknown'}${untested}` : `perf ${perf}`) +
    (bound === undefined ? '' : ` with ${bound} only`);
  const onOff = (name: string, on: boolean | undefined): string[] =>
    on === undefined ? [] : [`${name} ${on ? 'on' : 'off'}`];
  const settings = [
    ...(thp === undefined ? [] : [`THP ${thp}`]),
    ...onOff('KSM', host.ksm),
    ...onOff('NUMA balancing', host.numaBalancing),
    counted(numaNodes, 'NUMA node'),
    ...onOff('SMAP', host.smap),
  ];
  return [
    ...wrapped('host        ', printable(`Linux ${kernel} on ${cpu ?? architecture}, ${recorder}`)),
    ...wrapped('            ', `${printable(settings.join(', '))} (when the recording began)`),
  ];
}

function probeLines({ detail, views }: NonNullable<InfoResult['probes']>): string[] {
  return [
    `detail      ${detail}`,
    ...tableLines(
      [textColumn('recorded'), textColumn('how sure'), textColumn('by')],
      views.map(({ what, certainty, by }) =>
        [what, certainty, by.length === 0 ? '–' : by.join(', ')].map(printable),
      ),
    ).map((line) => `  ${line}`),
  ];
}

function formatText({ format_version, writer }: InfoResult): string {
  if (format_version === null || writer === null) return 'text, as it was printed';
  return `${format_version}, written by ${printable(writer)}`;
}

function checksumText({ checksums, damage }: InfoResult): string {
  if (checksums !== true)
    return 'none, as older formats have none: whether a byte was changed is not known';
  return damage.length === 0 ? 'all agree' : 'agree in what is told here';
}

function completeText({ complete, lost, damage }: InfoResult): string {
  if (complete === null) return 'not known: what was emitted was not counted';
  if (complete) return 'yes, as counted in the kernel';
  const losses = Object.entries(lost).map(
    ([by, howMany]) => `${grouped(BigInt(howMany))} by ${by}`,
  );
  const reasons = [...(losses.length > 0 ? [`lost ${losses.join(', ')}`] : []), ...damage];
  return `NO${reasons.length > 0 ? `: ${reasons.map(printable).join('; ')}` : ''}`;
}

function recordingLines(
  number: number,
  { events, first, last, ended, cpus, virtqueues }: InfoResult['recordings'][number],
): string[] {
  const lines = [`recording ${number}`];
  if (first !== null && last !== null)
    lines.push(`  ${seconds(BigInt(last) - BigInt(first))}, from ${first} to ${last} ns`);
  if (ended !== null) lines.push(...wrapped('  ended: ', printable(ended)));
  if (cpus.length === 0) lines.push('  no event');
  else lines.push(...listLines(`  ${counted(cpus.length, 'CPU')}:`, cpus.map(String)));
  lines.push(
    ...(virtqueues.length === 0
      ? ['  no virtqueue: no vhost device was seen']
      : listLines(
          `  ${counted(virtqueues.length, 'virtqueue')} in address order:`,
          virtqueues.map((virtqueue) =>
            virtqueue.pointer === null
              ? virtqueueName(virtqueue)
              : `${virtqueueName(virtqueue)} at ${virtqueue.pointer}`,
          ),
        )),
  );
  const unseen = virtqueues.filter(({ notified }) => notified === false).length;
  if (unseen > 0)
    lines.push(
      `  ${unseen} of them in address spaces without notifiers: what invalidates those rings is not in this trace`,
    );
  if (cpus.length === 0) return lines;
  const table = tableLines(
    [textColumn('event'), numberColumn('count')],
    Object.entries(events).map(([event, times]) => [event, grouped(times)]),
  );
  return [...lines, ...table.map((line) => `  ${line}`)];
}
