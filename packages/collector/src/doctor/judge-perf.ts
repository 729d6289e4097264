import type { HostFacts } from '../host/host-facts.js';
import type { PerfFacts } from '../host/perf-facts.js';
import { OLDEST_PERF, TESTED_PERF, isOlderPerf } from '../perf-recording/perf-command.js';
import type { Finding } from './findings.js';

/** Whether this perf can record. */
export function judgePerf({ asked, program }: PerfFacts): Finding {
  const id = 'perf';
  if (program === undefined)
    return {
      id,
      verdict: 'blocked',
      found: asked === 'perf' ? 'no perf' : `${asked} cannot be run`,
      cost: 'nothing can be recorded with it',
      change: `install perf (Debian: the package linux-perf), ${OLDEST_PERF} or newer`,
    };
  const { path, version } = program;
  if (version === undefined)
    return {
      id,
      verdict: 'limited',
      found: `${path} does not say its version`,
      cost: `it is taken for one like ${TESTED_PERF}`,
      change: `use perf ${TESTED_PERF}`,
    };
  const found = `perf ${version}`;
  if (isOlderPerf(version))
    return {
      id,
      verdict: 'blocked',
      found,
      cost: 'it lacks what a live recording needs of it',
      change: `install perf ${OLDEST_PERF} or newer: it need not be that of the kernel`,
    };
  if (version.startsWith(`${TESTED_PERF}.`) || version === TESTED_PERF)
    return { id, verdict: 'ok', found };
  return {
    id,
    verdict: 'limited',
    found: `${found}, untested`,
    cost: `tested with ${TESTED_PERF} only`,
    change: `if the probes cannot be attached, use perf ${TESTED_PERF}`,
  };
}

/** What of the kernel perf needs that bpftrace does not: of vhost's own types and code, which come with it. */
export function judgeStructsForPerf({ perf, vhost }: HostFacts): Finding[] {
  if (perf === undefined || !vhost.isLoaded) return [];
  const { layout, sites } = perf;
  const findings: Finding[] = [];
  if (typeof layout === 'string')
    findings.push({
      id: 'layout',
      verdict: 'blocked',
      found: layout,
      cost: 'where the fields of rings lie in memory is not known',
      change: 'record with bpftrace, or use a kernel with CONFIG_DEBUG_INFO_BTF_MODULES',
    });
  if (typeof sites === 'string')
    findings.push({
      id: 'code',
      verdict: 'blocked',
      found: sites,
      cost: 'where a round ends cannot be found in the code of vhost',
      change: 'record with bpftrace',
    });
  return findings;
}
