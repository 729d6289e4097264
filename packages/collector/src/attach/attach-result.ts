/** What `collector attach --json` prints. */
import type { TraceWriter } from '@vhostscope/trace';
import type { z } from 'zod';
import type { Blocker } from '../blocked-host.js';
import type { Published } from '../fleet/publishing.js';
import type { attachResultSchema } from './attach-result-schema.js';
import type { FinishedRecording } from './record.js';

export type AttachResult = z.infer<typeof attachResultSchema>;

/** What a device that is set up, used or given up is told by. */
const SIGNS_OF_VHOST = ['virtqueue', 'round', 'notifier', 'reset'];

export function attachResult(
  written: { readonly path: string | undefined; readonly bytes: number },
  writer: TraceWriter,
  { end, missing, doubts, limits, capabilities }: FinishedRecording,
  readersDropped: number,
  published: Published | undefined,
  user: string | undefined,
): AttachResult {
  const counts = writer.ended;
  return {
    output: written.path ?? null,
    bytes_written: written.bytes,
    events: writer.events,
    saw_vhost: SIGNS_OF_VHOST.some((event) => (counts?.events[event] ?? 0) > 0),
    ended: counts?.ended ?? end.why,
    complete: counts?.complete ?? null,
    doubts: [...doubts],
    limits: [...limits],
    recorder_capabilities: capabilities === undefined ? null : [...capabilities],
    user: user ?? null,
    lost: { ...counts?.lost },
    missing: { ...missing },
    readers_dropped: readersDropped,
    published: published ?? null,
    blockers: [],
  };
}

/** Of a host that cannot be recorded. */
export function blockedResult(blockers: readonly Blocker[]): AttachResult {
  return {
    output: null,
    bytes_written: 0,
    events: 0,
    saw_vhost: false,
    ended: 'not begun',
    complete: null,
    doubts: [],
    limits: [],
    recorder_capabilities: null,
    user: null,
    lost: {},
    missing: {},
    readers_dropped: 0,
    published: null,
    blockers: blockers.map(({ reason, advice }) => ({ reason, change: advice ?? null })),
  };
}
