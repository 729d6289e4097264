/** The host that this program runs on. */
import { readFileSync } from 'node:fs';
import { readHostFacts } from '../host/host-facts.js';
import { hostSources } from '../host/host-sources.js';
import { planRecording } from '../plan-recording.js';
import type { RecordedHost } from './recorded-host.js';

const PATIENCE_MS = 10_000;

/** @param bpftrace program to run */
export function thisHost(bpftrace: string): RecordedHost {
  return {
    plan: async (request) => planRecording(await readHostFacts(hostSources(), bpftrace), request),
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
