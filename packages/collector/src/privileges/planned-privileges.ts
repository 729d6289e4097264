import type { HostFacts } from '../host/host-facts.js';
import { isTested, versionNumbers } from '../recording-program/bpftrace-dialects.js';
import {
  ALL_PRIVILEGES,
  neededCapabilities,
  type RecorderPrivileges,
} from './recorder-privileges.js';

/** All that what would record needs, of what root may. */
export function capabilitiesFor({
  bpftrace,
  perf,
  perfEventParanoid,
}: Pick<HostFacts, 'bpftrace' | 'perf' | 'perfEventParanoid'>): string[] {
  const version = versionNumbers(bpftrace?.version);
  return neededCapabilities({
    recorder: perf === undefined ? 'bpftrace' : 'perf',
    isTested: perf !== undefined || (version !== undefined && isTested(version)),
    perfEventParanoid,
  });
}

/** What the recorder is started with, as far as the host lets it be less than root. */
export function privilegesOf(
  facts: HostFacts,
  { realUser }: { readonly realUser?: number | undefined } = {},
): RecorderPrivileges {
  if (facts.bounding !== 'possible') return { ...ALL_PRIVILEGES, realUser };
  return { capabilities: capabilitiesFor(facts), realUser };
}
