/** While a trace is replayed nothing is heard of who asked for it: it is looked at now and then. */
import type { RunVisitor } from '@vhostscope/trace';

/** Events between two looks: they take a fraction of a second, and a look nothing beside that. */
export const STRETCH = 1 << 16;

/** @param look does not return where nobody asks any more */
export function whileAsked(visit: RunVisitor, look: () => void): RunVisitor {
  let events = 0;
  return (batch, from, to) => {
    events += to - from;
    if (events >= STRETCH) {
      events = 0;
      look();
    }
    visit(batch, from, to);
  };
}
