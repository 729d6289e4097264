/**
 * Ranges that had begun before the recording did: told again at its beginning. Without them an end would
 * come that has no beginning, or a range would hold that nobody knows of.
 */
import { KIND, timeOfLine, type EventLine } from '@vhostscope/model';
import {
  createOpenRanges,
  forgetRanges,
  hasOrphans,
  keptLine,
  linesOfBegun,
  noteRange,
  settleRanges,
  writeLoss,
  writeRangeLine,
  type KeptLine,
  type TraceWriter,
} from '@vhostscope/trace';

/** What stands for a range of which it cannot be told any more whether it has ended. */
const OVERTAKEN = 'ranges whose end was told before their beginning, where the recording begins';

/** What stands for lines that were lost while probes were being attached. */
const LOST_BEFORE = 'lines from before the recording';

export interface EarlyRanges {
  /**
   * A line has arrived, and may tell of a range.
   *
   * @param from when the recording began, ns; undefined while it has not
   */
  hear(line: EventLine, bytes: Uint8Array, from: bigint | undefined): void;
  /** Lines were lost. */
  lose(): void;
  /** The recording begins: tells of those that are under way. */
  tell(from: bigint): void;
}

export function createEarlyRanges(writer: TraceWriter): EarlyRanges {
  /** By lines from before the recording only. */
  const ranges = createOpenRanges();
  /** Times of the latest heartbeats, by CPU. */
  const heard = new Map<number, bigint>();
  let told = 0;
  /** All at one time, and in the order in which they are told, whatever CPU they are of. */
  const tellLine = (kept: KeptLine, from: bigint): void =>
    writeRangeLine(writer, kept, from, ++told);

  return {
    hear(line, bytes, from) {
      if (from !== undefined && timeOfLine(line) >= from) return;
      if (line.kind === KIND.heartbeat) {
        heard.set(line.cpu, timeOfLine(line));
        const all = [...heard.values()];
        settleRanges(
          ranges,
          all.reduce((first, time) => (time < first ? time : first)),
        );
        return;
      }
      const order = noteRange(ranges, line, bytes, from);
      if (order === undefined || from === undefined) return;
      // Only read now that the recording has begun. It is told at once, before what its CPU tells later.
      // What waits for its beginning is told by nothing: that is overtaken when it comes.
      if (order === 'follows') tellLine(keptLine(line, bytes), from);
      else if (order === 'overtaken') writeLoss(writer, 1n, OVERTAKEN, 0);
    },
    lose: () => forgetRanges(ranges),
    tell(from) {
      for (const kept of linesOfBegun(ranges)) tellLine(kept, from);
      // What was lost may have been the beginning of one that still holds.
      if (ranges.isPartial || hasOrphans(ranges)) writeLoss(writer, 0n, LOST_BEFORE, 0);
    },
  };
}
