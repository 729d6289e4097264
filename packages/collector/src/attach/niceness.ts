/** How much of the CPUs the recorder leaves to whoever is recorded. */
import { constants, setPriority } from 'node:os';
import { InvalidArgumentError } from 'commander';

/** @returns a nice value from 0, as everybody has it, to 19, which takes what nobody else wants */
export function parseNiceness(text: string): number {
  const niceness = /^\d{1,2}$/.test(text) ? Number(text) : -1;
  if (niceness < 0 || niceness > constants.priority.PRIORITY_LOW)
    throw new InvalidArgumentError(`Give a number from 0 to ${constants.priority.PRIORITY_LOW}.`);
  return niceness;
}

/** Gives a process and this one a nice value. */
export function yieldCpus(pid: number, niceness: number): void {
  setPriority(pid, niceness);
  setPriority(niceness);
}
