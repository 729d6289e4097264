import type { HostFacts } from '../host/host-facts.js';
import { privilegesOf } from '../privileges/planned-privileges.js';
import { capabilityNames } from '../privileges/recorder-privileges.js';
import type { Finding } from './findings.js';

/** Who runs this, and whether that is enough. */
export function judgeRoot(facts: HostFacts): Finding {
  const { isRoot, lackedCapabilities: lacked } = facts;
  if (!isRoot) return notRoot(facts);
  const id = 'root';
  if (lacked === undefined || lacked.length === 0)
    return { id, verdict: 'ok', found: 'running as root' };
  return {
    id,
    verdict: 'limited',
    found: `running as root, without ${capabilityNames(lacked)}`,
    cost: 'the kernel is likely to refuse the probes',
    change: 'give them to the container or service in which it runs, or run it outside',
  };
}

/** Somebody may have given it what the kernel asks for, and that is not what the programs ask for. */
function notRoot({ neededCapabilities: needed, lackedCapabilities, perf }: HostFacts): Finding {
  const recorder = perf === undefined ? 'bpftrace' : 'perf';
  const lacked = lackedCapabilities ?? needed;
  const has = needed.filter((name) => !lacked.includes(name));
  const blocked = { id: 'root', verdict: 'blocked' } as const;
  if (has.length === 0)
    return {
      ...blocked,
      found: 'not running as root',
      cost: 'the kernel cannot be traced',
      change: 'run it with sudo',
    };
  return {
    ...blocked,
    found:
      lacked.length === 0
        ? 'not running as root, though with the capabilities that tracing takes'
        : `not running as root, with ${capabilityNames(has)} of the capabilities that tracing takes, and without ${capabilityNames(lacked)}`,
    cost: WITHOUT_UID_0[recorder],
    change: `run it with sudo: ${recorder} gets no other capabilities then`,
  };
}

const WITHOUT_UID_0 = {
  bpftrace: 'bpftrace asks for user 0, whatever its capabilities are, and ends without it',
  perf: 'probes are files of user 0 (tracefs), which only that user writes',
} as const;

/** Most of what cap_sys_admin allows it has no use for. */
function whyAdmin({ perfEventParanoid }: HostFacts, capabilities: readonly string[]): string {
  if (!capabilities.includes('sys_admin')) return '';
  return perfEventParanoid !== undefined && perfEventParanoid > 2
    ? ` (cap_sys_admin as kernel.perf_event_paranoid is ${perfEventParanoid}: with 2, cap_perfmon does)`
    : '';
}

/** How much of root's rights the recorder would get. */
export function judgeBounding(facts: HostFacts): Finding[] {
  const { bounding, perf } = facts;
  if (bounding === undefined) return [];
  const id = 'privileges';
  const recorder = perf === undefined ? 'bpftrace' : 'perf';
  const cost = `${recorder} runs with all that root may`;
  switch (bounding) {
    case 'possible': {
      const privileges = privilegesOf(facts);
      const capabilities = privileges.capabilities ?? [];
      return [
        {
          id,
          verdict: 'ok',
          found: `${recorder} runs as root with at most ${capabilityNames(capabilities)}${whyAdmin(facts, capabilities)}`,
        },
      ];
    }
    case 'no setpriv':
      return [
        {
          id,
          verdict: 'limited',
          found: 'no setpriv',
          cost,
          change: 'install it: util-linux 2.33 or newer',
        },
      ];
    case 'refused':
      return [
        {
          id,
          verdict: 'limited',
          found: `setpriv cannot start ${recorder} with fewer capabilities`,
          cost,
          change: `have ${recorder} where every user may run it, Linux 5.8 or newer, and cap_setpcap`,
        },
      ];
  }
}
