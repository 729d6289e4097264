import type { HostFacts } from '../host/host-facts.js';
import { DIRECT_MAP_FUNCTIONS, planDirectMap } from '../probe-plan/direct-map-plan.js';
import {
  HANDLER_FUNCTIONS,
  IN_ORDER_FUNCTIONS,
  PLANNED_FUNCTIONS,
  ROUND,
} from '../probe-plan/probe-plan.js';
import type { Finding } from './findings.js';

/** Which functions a plan would like to probe and cannot; none of it matters where vhost is not there. */
export function judgeFunctions(facts: HostFacts): Finding[] {
  if (!facts.vhost.isLoaded) return [];
  const id = 'functions';
  const has = (name: string): boolean => facts.functions.includes(name);
  if (!ROUND.some(has))
    return [
      {
        id,
        verdict: 'blocked',
        found: `${ROUND[0]}, where a round begins, cannot be probed`,
        cost: 'no round is seen',
        change: 'use a kernel whose vhost functions can be traced',
      },
    ];
  const wanted = wantedOf(facts);
  const missing = wanted.filter((name) => !has(name));
  if (missing.length === 0)
    return [
      {
        id,
        verdict: 'ok',
        found: `all ${wanted.length} functions that matter here can be probed`,
      },
    ];
  return [
    {
      id,
      verdict: 'limited',
      found: `${wanted.length - missing.length} of the ${wanted.length} functions that matter here can be probed, not ${missing.join(', ')}`,
      cost: 'what they would show is missing or estimated, as collector probes says',
      change: 'use a kernel in which they can be traced',
    },
  ];
}

/** Said only where there is such code. */
export function judgeDirectMap({ functions, vhost }: HostFacts): Finding[] {
  const directMap = planDirectMap((name) => functions.includes(name), 'accesses');
  if (directMap === undefined) return [];
  const found = functions.filter((name) => DIRECT_MAP_FUNCTIONS.includes(name));
  // One of them has two names, and a kernel has one of these.
  const all = DIRECT_MAP_FUNCTIONS.length - 1;
  return [
    {
      id: 'direct_map',
      verdict: 'limited',
      found: `vhost has the direct-map code, and ${found.length} of the ${all} functions of it or around it can be probed`,
      cost: `what is recorded of it is untested: the program was never run on such a kernel${vhost.devices.length > 0 ? '. Of devices that are open already, what is mapped is not known: where accesses are told with their decisions, most stay ambiguous until the device is reset' : ''}`,
      change: 'compare what replay verify says of it with another count',
    },
  ];
}

/** What a plan for a stock kernel asks for, of the drivers that are loaded. */
function wantedOf({ vhost, kernel, functions }: HostFacts): readonly string[] {
  const absent = HANDLER_FUNCTIONS.filter(
    ({ handler }) => !vhost.modules.includes(handler === 'vsock' ? 'vhost_vsock' : 'vhost_net'),
  ).map(({ name }) => name);
  const round = ROUND.find((name) => functions.includes(name));
  return PLANNED_FUNCTIONS.filter((name) => {
    if (DIRECT_MAP_FUNCTIONS.includes(name) || absent.includes(name)) return false;
    if (ROUND.includes(name)) return name === round;
    // A kernel without it has no use for it.
    if (IN_ORDER_FUNCTIONS.includes(name)) return functions.includes(name);
    return name !== 'flush_tlb_mm_range' || kernel.architecture === 'x86_64';
  });
}
