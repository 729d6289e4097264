/**
 * Probes of a driver with the direct-map code: what it does is told, instead of what the design would.
 *
 * UNTESTED on a kernel (see `direct-map-plan.ts`).
 */
import type { PlannedDirectMap } from '../probe-plan/direct-map-plan.js';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { accessorBlocks } from './accessor-blocks.js';
import { attemptBlocks } from './attempt-blocks.js';
import type { BpftraceDialect } from './bpftrace-dialects.js';
import { callbackBlocks } from './callback-blocks.js';
import { driverLifeBlocks, driverSetUpBlocks } from './driver-set-up-blocks.js';
import type { ProbeBlock } from './program-text.js';
import { lifeBlocks } from './set-up-blocks.js';

export function directMapBlocks(
  plan: ProbePlan,
  directMap: PlannedDirectMap,
  dialect: BpftraceDialect,
): ProbeBlock[] {
  const { accessors } = directMap;
  const { initAccess } = plan;
  return [
    ...driverSetUpBlocks(plan, directMap),
    ...driverLifeBlocks(plan, directMap),
    // What only a stock kernel has to be asked for is told above.
    ...lifeBlocks({
      ...plan,
      setOwner: undefined,
      cleanup: undefined,
      initAccess: accessors === undefined ? initAccess : undefined,
    }),
    ...attemptBlocks(plan, directMap.attempts),
    ...accessorBlocks(accessors),
    ...callbackBlocks(plan, directMap.callbacks, dialect),
  ];
}
