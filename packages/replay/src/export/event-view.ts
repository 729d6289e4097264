/** The events of a trace as an export is to tell them: as they were recorded, or without what identifies a host. */
import type { RunVisitor } from '@vhostscope/trace';

export interface EventView {
  /** A visitor for the events of the whole trace, of which `visit` sees what is to be told. */
  readonly through: (visit: RunVisitor) => RunVisitor;
  /** What was taken off the times of a recording, by its number in the order of the trace, ns. */
  readonly timeBase: (recording: number) => bigint;
}

export const AS_RECORDED: EventView = { through: (visit) => visit, timeBase: () => 0n };
