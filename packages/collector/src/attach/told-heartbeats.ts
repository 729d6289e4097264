/**
 * Which heartbeats the trace gets. The program's come ten times a second from each CPU, and a batch of one
 * costs a kilobyte: all of them would be gigabytes a day of a host on which nothing happens. A reader needs
 * them only where another CPU has told something: then they say that nothing earlier can come any more. So
 * they are told with what is new, and once more after it; and to a file that nobody is known to follow,
 * seldom: whoever reads it to its end needs none.
 */
import { createEventLine, timeOfLine, type EventLine } from '@vhostscope/model';
import { flushTrace, hasWaiting, writeHeartbeat, type TraceWriter } from '@vhostscope/trace';

export interface ToldHeartbeats {
  /** A heartbeat has arrived; `line` is reused. */
  hear(line: EventLine): void;
  /**
   * Hands all that waits to the output: with the latest heartbeat of each CPU, where there is anything.
   *
   * @param now ms, of any clock that does not go back
   */
  flush(now: number): void;
}

/** So often somebody who follows the trace of an idle host sees that it goes on. */
const SIGN_OF_LIFE_MS = 5000;

/** @param isFollowed whether somebody reads the trace while it is being written */
export function createToldHeartbeats(
  writer: TraceWriter,
  isFollowed: () => boolean,
): ToldHeartbeats {
  const latest = new Map<number, EventLine>();
  let events = writer.events;
  let toldAt = -Infinity;
  /** The heartbeats told with the latest news were older than it: those of the next flush are not. */
  let owesAnother = false;

  /** The one that came last. */
  function newest(): EventLine[] {
    return [...latest.values()]
      .toSorted((a, b) => Number(timeOfLine(b) - timeOfLine(a)))
      .slice(0, 1);
  }

  return {
    hear(line) {
      const kept = latest.get(line.cpu) ?? createEventLine();
      kept.words.set(line.words);
      latest.set(
        line.cpu,
        Object.assign(kept, { kind: line.kind, cpu: line.cpu, absent: line.absent }),
      );
    },
    flush(now) {
      const hasNews = writer.events > events || hasWaiting(writer);
      const mayOrder = hasNews || owesAnother;
      if ((mayOrder && isFollowed()) || now >= toldAt + SIGN_OF_LIFE_MS) {
        for (const line of mayOrder ? latest.values() : newest()) writeHeartbeat(writer, line);
        latest.clear();
        toldAt = now;
        owesAnother = hasNews;
      } else owesAnother ||= hasNews;
      flushTrace(writer);
      events = writer.events;
    },
  };
}
