/** How much of the CPUs the recorder leaves to whoever is recorded. */
import { readdirSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { pid as ownPid } from 'node:process';
import { InvalidArgumentError } from 'commander';

/** @returns a nice value from 0, as everybody has it, to 19, which takes what nobody else wants */
export function parseNiceness(text: string): number {
  const niceness = /^\d{1,2}$/.test(text) ? Number(text) : -1;
  if (niceness < 0 || niceness > constants.priority.PRIORITY_LOW)
    throw new InvalidArgumentError(`Give a number from 0 to ${constants.priority.PRIORITY_LOW}.`);
  return niceness;
}

/** Makes all threads of processes, and of this one, at least as nice. */
export function leaveCpusTo(pids: readonly number[], niceness: number): void {
  for (const each of [...pids, ownPid])
    for (const thread of readdirSync(`/proc/${each}/task`).map(Number)) {
      try {
        if (getPriority(thread) < niceness) setPriority(thread, niceness);
      } catch {
        // It is gone.
      }
    }
}
