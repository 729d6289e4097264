/** The result of `replay info`, as `--json` prints it. The schema is the contract; keys are stable. */
import { ProgramError } from '@vhostscope/terminal';
import { recordingCounts, traceHeaderSchema, type OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import type { Completeness } from './completeness.js';
import { countRecording, listVirtqueues, type VirtqueueDescription } from './recording-list.js';
import { hostKindOf } from './replayable-trace.js';

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
