/**
 * The event that last moved invalidate_count off 0, and what came after it: where a window without notifier
 * lies between a start and its end, the count stays (imbalance, bug 4 of docs/kernel-rules.md §3.1).
 */
import {
  AREAS,
  commAt,
  EVENT_NAMES,
  hasDetail,
  KIND,
  timeAt,
  type Engine,
  type EventBatch,
} from '@vhostscope/model';
import { z } from 'zod';

const line = z.number().int().nonnegative();

export const countMoved = z.object({
  line,
  /** ns, CLOCK_BOOTTIME, decimal. */
  time: z.string(),
  event: z.string(),
  area: z.string().nullable(),
  /** The last start entered on its CPU, whose callback it most likely is; null where none was seen. */
  by: z.object({ line, time: z.string(), pid: line, comm: z.string() }).nullable(),
  /** Line at which the notifier was first unregistered since: ends that come while it is gone lower nothing. */
  notifier_gone: line.nullable(),
  /** ns, decimal. */
  notifier_gone_at: z.string().nullable(),
  /** How often it was since, the first time too: any of them may have kept some of the count. */
  notifier_gone_times: line,
});
export type CountMoved = z.infer<typeof countMoved>;

export interface CountWatch {
  moved: CountMoved | undefined;
  starts: Map<number, CountMoved['by']>;
}

export function createCountWatch(): CountWatch {
  return { moved: undefined, starts: new Map() };
}

/** After the engine consumed event `i`. */
export function watchCount(
  watch: CountWatch,
  engine: Engine,
  batch: EventBatch,
  i: number,
  vq: number,
): void {
  const kind = batch.kind[i];
  // Accesses move no count: nearly all events are done here.
  if (kind === KIND.access) return;
  const { details } = batch;
  const detail = batch.detail[i] ?? 0;
  if (kind === KIND.recording) watch.starts.clear();
  if (kind === KIND.range_start || kind === KIND.core_range_start)
    watch.starts.set(batch.cpu, {
      line: batch.line[i] ?? 0,
      time: String(timeAt(batch, i)),
      pid: details.pid[detail] ?? 0,
      comm: hasDetail(details, detail, 'comm') ? commAt(details.comm, detail) : '',
    });
  if (engine.isCountZero(vq)) {
    watch.moved = undefined;
    return;
  }
  if (watch.moved === undefined) {
    const hasArea = kind === KIND.effect_start || kind === KIND.effect_end;
    watch.moved = {
      line: batch.line[i] ?? 0,
      time: String(timeAt(batch, i)),
      event: EVENT_NAMES[kind ?? 0] ?? String(kind),
      area: hasArea ? (AREAS[details.area[detail] ?? 0] ?? null) : null,
      by: hasArea || kind === KIND.range_start ? (watch.starts.get(batch.cpu) ?? null) : null,
      notifier_gone: null,
      notifier_gone_at: null,
      notifier_gone_times: 0,
    };
  } else if (
    kind === KIND.notifier &&
    details.registered[detail] === 0 &&
    details.dev[detail] === engine.inspect(vq).dev
  ) {
    const {
      notifier_gone: gone,
      notifier_gone_at: goneAt,
      notifier_gone_times: times,
    } = watch.moved;
    watch.moved = {
      ...watch.moved,
      notifier_gone: gone ?? batch.line[i] ?? 0,
      notifier_gone_at: goneAt ?? String(timeAt(batch, i)),
      notifier_gone_times: times + 1,
    };
  }
}
