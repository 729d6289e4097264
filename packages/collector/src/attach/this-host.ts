/** The host that this program runs on. */
import { readFileSync } from 'node:fs';
import { EXIT, ProgramError } from '@vhostscope/terminal';
import type { RecordedHost } from './recording-plan.js';

const PATIENCE_MS = 10_000;

export function thisHost(): RecordedHost {
  return {
    plan: () => {
      throw new ProgramError('no probe plan yet', { exitCode: EXIT.host });
    },
    patienceMs: PATIENCE_MS,
    onlineCpus: () => parseCpuList(readFileSync('/sys/devices/system/cpu/online', 'latin1')),
  };
}

/** Reads a list of CPUs as the kernel writes it: `0-3,8`. */
export function parseCpuList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .flatMap((range) => {
      const [first, last = first] = range.split('-').map(Number);
      return Array.from({ length: last - first + 1 }, (_, index) => first + index);
    });
}
