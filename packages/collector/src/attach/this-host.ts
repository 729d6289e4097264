/** The host that this program runs on. */
import { readFileSync } from 'node:fs';
import { readHostFacts } from '../host/host-facts.js';
import { hostSources } from '../host/host-sources.js';
import { findVhostDevices } from '../host/vhost-devices.js';
import { perfOutlookOf } from '../perf-recording/plan-perf-recording.js';
import { planRecording, recordingOrBlocked } from '../plan-recording.js';
import { findUser } from '../privileges/user-account.js';
import type { RecordedHost } from './recorded-host.js';

const PATIENCE_MS = 10_000;

/** @param programs to run, whichever is to record */
export function thisHost(programs: {
  readonly bpftrace: string;
  readonly perf: string;
}): RecordedHost {
  return {
    plan: async (request) => {
      const sources = hostSources();
      if (request.recorder !== 'perf')
        return planRecording(await readHostFacts(sources, programs.bpftrace), request);
      const facts = await readHostFacts(sources, programs.bpftrace, programs.perf);
      return recordingOrBlocked(perfOutlookOf(facts, request));
    },
    user: async (name) => findUser(name, hostSources()),
    vhostOwners: () => findVhostDevices(hostSources()).map(({ pid }) => pid),
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
