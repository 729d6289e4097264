/**
 * Holds what has arrived against what the kernel counted. On every CPU the program counts the lines
 * that it emits, by class, and a heartbeat tells the counts a few times a second. Lines of one CPU
 * arrive in the order in which they were emitted, so whatever a heartbeat counts and has not arrived
 * before it is lost, exactly, to one tick.
 */

/** Lines that are counted together. */
export interface LineClass {
  readonly name: string;
  /** Codes of their events. */
  readonly kinds: readonly number[];
}

export interface LossAccount {
  /**
   * A heartbeat has arrived.
   *
   * @param time ns
   * @param emitted lines since the start of the program, by class
   */
  hearHeartbeat(cpu: number, time: bigint, emitted: readonly number[]): void;
  /** Somebody else says that lines are missing: bpftrace, or the reader of its output. */
  hearLoss(howMany: bigint, by: string): void;
  /** Who has counted in the kernel says how many lines are missing in all, those included that are known. */
  hearCounted(howMany: bigint): void;
  /** Whether all lines of a CPU up to a time have arrived or are known to be lost. */
  isSettled(cpu: number, until: bigint): boolean;
  /** CPUs that have ever told a heartbeat: one that went offline has told lines before it did. */
  cpus(): Iterable<number>;
  /** Lines known to be lost, by class. Those that only others tell of have none. */
  missing(): Record<string, number>;
}

/** What stands for losses that nobody but the kernel's counts tells of. */
export const COUNTED_IN_KERNEL = 'counted in the kernel, never arrived';

/**
 * @param arrived lines of a kind that have arrived from a CPU
 * @param write puts a loss into the trace
 */
export function createLossAccount(
  classes: readonly LineClass[],
  arrived: (cpu: number, kind: number) => number,
  write: (howMany: bigint, by: string) => void,
): LossAccount {
  const missingOf = new Map<number, number[]>();
  const settled = new Map<number, bigint>();
  // Most losses are told twice, by bpftrace and by the counts, in any order. Each sees some that the
  // other does not, and neither says which: the trace gets the greater of the two.
  let told = 0n;
  let counted = 0n;
  let written = 0n;

  function settle(by: string): void {
    const known = told > counted ? told : counted;
    if (known <= written) return;
    write(known - written, by);
    written = known;
  }

  return {
    hearHeartbeat(cpu, time, emitted) {
      const missing = missingOf.get(cpu) ?? classes.map(() => 0);
      for (const [index, { kinds }] of classes.entries()) {
        const all = kinds.reduce((sum, kind) => sum + arrived(cpu, kind), 0);
        const now = Math.max(0, emitted[index] - all);
        counted += BigInt(now - missing[index]);
        missing[index] = now;
      }
      missingOf.set(cpu, missing);
      settled.set(cpu, time);
      settle(COUNTED_IN_KERNEL);
    },
    hearLoss(howMany, by) {
      told += howMany;
      settle(by);
    },
    hearCounted(howMany) {
      if (howMany > counted) counted = howMany;
      settle(COUNTED_IN_KERNEL);
    },
    isSettled: (cpu, until) => (settled.get(cpu) ?? -1n) >= until,
    cpus: () => settled.keys(),
    missing: () =>
      Object.fromEntries(
        classes.map(({ name }, index) => [
          name,
          [...missingOf.values()].reduce((sum, missing) => sum + missing[index], 0),
        ]),
      ),
  };
}
