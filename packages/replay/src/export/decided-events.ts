/** Goes through a trace event by event, and tells with each what the design makes of it. */
import {
  ACCESSORS,
  derivedIndex,
  KIND,
  OUTCOME_NAMES,
  type Engine,
  type EventBatch,
} from '@vhostscope/model';
import { visitTraceAtPace, type OpenTrace } from '@vhostscope/trace';
import { engineOf, type Replayed } from '../replay-trace.js';

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

/** Accesses of one kind that a round made, and what became of them. */
export interface DerivedAccesses {
  readonly accessor: number;
  readonly outcome: number;
  /** At least, at most (Infinity where nothing bounds them), and the estimate. */
  readonly least: number;
  readonly most: number;
  readonly estimate: number;
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
 * @param pause see visitTraceAtPace
 */
export async function visitDecided(
  trace: OpenTrace,
  replayed: Replayed,
  visit: DecidedVisitor,
  pause: () => Promise<void> | undefined,
): Promise<void> {
  const engine = engineOf(replayed);
  const decided: Decided = { recording: -1, outcome: NOT_DECIDED, doubt: 0, derived: [] };
  const decide = replayed.host === 'stock' ? decideDerived : decideAccess;
  await visitTraceAtPace(
    trace.fd,
    trace.index,
    (batch, from, to) => {
      // HOT: all events of the trace.
      for (let i = from; i < to; i++) {
        engine.consume(batch, i, i + 1);
        if (batch.kind[i] === KIND.recording) decided.recording++;
        decide(engine, batch, i, decided);
        visit(batch, i, decided, engine);
      }
    },
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

const NOTHING: readonly DerivedAccesses[] = [];

/** A stock host's accesses are counted with the event from which they follow. */
function decideDerived(engine: Engine, batch: EventBatch, i: number, decided: Decided): void {
  decided.outcome = NOT_DECIDED;
  decided.derived = NOTHING;
  const kind = batch.kind[i];
  if (kind !== KIND.round_end && kind !== KIND.counted && kind !== KIND.access) return;
  const derived = takeDerived(engine, batch.vq[i] ?? 0);
  decided.doubt = takeDoubt(engine);
  if (kind === KIND.access) decided.outcome = derived[0]?.outcome ?? NOT_DECIDED;
  else decided.derived = derived;
}

/** What was counted since the last time. The engine is ours, and its tallies are read nowhere else. */
export function takeDerived({ tallies }: Engine, vq: number): readonly DerivedAccesses[] {
  const { derived } = tallies;
  if (derived === undefined) return NOTHING;
  const { least, most, estimate } = derived;
  const found: DerivedAccesses[] = [];
  for (let accessor = 1; accessor < ACCESSORS.length; accessor++) {
    for (let outcome = 0; outcome < OUTCOME_NAMES.length; outcome++) {
      const place = derivedIndex(vq, accessor, outcome);
      if ((most[place] ?? 0) === 0) continue;
      found.push({
        accessor,
        outcome,
        least: least[place] ?? 0,
        most: most[place] ?? 0,
        estimate: estimate[place] ?? 0,
      });
      least[place] = 0;
      most[place] = 0;
      estimate[place] = 0;
    }
  }
  return found;
}

export function takeDoubt({ tallies }: Engine): number | undefined {
  const doubts = tallies.derived?.doubts;
  if (doubts === undefined) return undefined;
  let found: number | undefined;
  let kinds = 0;
  for (const [doubt, accesses] of doubts.entries()) {
    if (accesses === 0) continue;
    found = doubt;
    kinds++;
    doubts[doubt] = 0;
  }
  return kinds === 1 ? found : undefined;
}
