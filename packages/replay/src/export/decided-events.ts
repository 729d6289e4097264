/** Goes through a trace event by event, and tells with each what the design makes of it. */
import { KIND, type Engine, type EventBatch } from '@vhostscope/model';
import { visitTraceAtPace, type OpenTrace } from '@vhostscope/trace';
import { NO_ACCESSES, takeDerived, takeDoubt, type DerivedAccesses } from '../derived-accesses.js';
import { engineOf, type Replayed } from '../replay-trace.js';
import type { EventView } from './event-view.js';

export const NOT_DECIDED = -1;

/** What became of accesses with one event; used again for the next. */
export interface Decided {
  /** Number of the recording, from 0. */
  recording: number;
  /** Of an `access`; NOT_DECIDED of all else, and where the end of its round tells. */
  outcome: number;
  /** Why, where an outcome is ambiguous (see DOUBT_MEANING); undefined when several reasons mix. */
  doubt: number | undefined;
  /** Of a stock host: accesses that follow from this event. Otherwise empty. */
  derived: readonly DerivedAccesses[];
}

/** `engine` has consumed event `i` of the batch, and nothing after it. */
export type DecidedVisitor = (
  batch: EventBatch,
  i: number,
  decided: Decided,
  engine: Engine,
) => void;

/**
 * @param replayed how the whole trace is judged: that is known only when it was replayed once
 * @param view what of the events the engine and `visit` are given
 * @param pause see visitTraceAtPace
 */
export async function visitDecided(
  trace: OpenTrace,
  replayed: Replayed,
  view: EventView,
  visit: DecidedVisitor,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  const engine = engineOf(replayed);
  const decided: Decided = { recording: -1, outcome: NOT_DECIDED, doubt: 0, derived: [] };
  const decide = replayed.host === 'stock' ? decideDerived : decideAccess;
  await visitTraceAtPace(
    trace.fd,
    trace.index,
    view.through((batch, from, to) => {
      // HOT: all events of the trace.
      for (let i = from; i < to; i++) {
        engine.consume(batch, i, i + 1);
        if (batch.kind[i] === KIND.recording) decided.recording++;
        decide(engine, batch, i, decided);
        visit(batch, i, decided, engine);
      }
    }),
    pause,
  );
}

/** Accesses that were recorded one by one are decided at once. */
function decideAccess(engine: Engine, batch: EventBatch, i: number, decided: Decided): void {
  decided.outcome =
    batch.kind[i] === KIND.access
      ? engine.outcomeOf(batch.vq[i] ?? 0, batch.accessor[i] ?? 0)
      : NOT_DECIDED;
}

/** A stock host's accesses are counted with the event from which they follow. */
function decideDerived(engine: Engine, batch: EventBatch, i: number, decided: Decided): void {
  decided.outcome = NOT_DECIDED;
  decided.derived = NO_ACCESSES;
  const kind = batch.kind[i];
  if (kind !== KIND.round_end && kind !== KIND.counted && kind !== KIND.access) return;
  const derived = takeDerived(engine, batch.vq[i] ?? 0);
  decided.doubt = takeDoubt(engine);
  if (kind === KIND.access) decided.outcome = derived[0]?.outcome ?? NOT_DECIDED;
  else decided.derived = derived;
}
