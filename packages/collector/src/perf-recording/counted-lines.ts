/** Lines of the dialect, each counted on its CPU by class, as the program of bpftrace counts its own. */
import { ATTACH_HEADER } from '@vhostscope/model';
import type { LiveTraceEvent } from '@vhostscope/trace';

/** A column of which the value is not known. */
export const UNKNOWN = '-';

/** Where and when it happened. */
type Place = Pick<LiveTraceEvent, 'time' | 'cpu'>;

interface Counts {
  state: number;
  rounds: number;
  ranges: number;
  accesses: number;
  foreign: number;
  elsewhere: number;
}

export interface CountedLines {
  readonly emit: (
    from: Place,
    of: keyof Counts,
    tag: string,
    ...columns: readonly (string | number | bigint)[]
  ) => void;
  /**
   * Of what is left out; and of what cannot be told: a heartbeat says then that a line was made which does not arrive.
   */
  readonly countOnly: (from: Place, of: keyof Counts) => void;
  /** What is no event. */
  readonly write: (text: string) => void;
  /** Tells what was counted on a CPU. */
  readonly heartbeat: (from: Place) => void;
}

/** @param write takes lines, each with its LF */
export function createCountedLines(write: (text: string) => void): CountedLines {
  const countsOf = new Map<number, Counts>();

  function countsAt(cpu: number): Counts {
    let counts = countsOf.get(cpu);
    if (counts === undefined) {
      counts = { state: 0, rounds: 0, ranges: 0, accesses: 0, foreign: 0, elsewhere: 0 };
      countsOf.set(cpu, counts);
    }
    return counts;
  }

  write(`${ATTACH_HEADER}\n`);
  return {
    emit: ({ time, cpu }, of, tag, ...columns) => {
      countsAt(cpu)[of]++;
      write(`${tag} ${time} ${cpu} ${columns.join(' ')}\n`);
    },
    countOnly: ({ cpu }, of) => {
      countsAt(cpu)[of]++;
    },
    write,
    heartbeat: ({ time, cpu }) => {
      const { state, rounds, ranges, accesses, foreign, elsewhere } = countsAt(cpu);
      write(`H ${time} ${cpu} ${state} ${rounds} ${ranges} ${accesses} ${foreign} ${elsewhere}\n`);
    },
  };
}
