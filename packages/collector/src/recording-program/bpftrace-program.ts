/**
 * The program that bpftrace runs on the host: probes that print lines of the dialect `# vhostscope 1`, or
 * of the other one where each access is told with its decision (ARCHITECTURE.md, Events).
 */
import { ATTACH_DIRECT_MAP_HEADER, ATTACH_HEADER } from '@vhostscope/model';
import { tellsDecisions } from '../probe-plan/direct-map-plan.js';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { accessBlocks, declareCounters } from './access-blocks.js';
import { LINE_CLASSES } from './emitted-lines.js';
import { dirtyLogBlocks } from './dirty-log-blocks.js';
import { directMapBlocks } from './direct-map-blocks.js';
import { eventPrintf } from './event-printf.js';
import { declareHeldRounds, tellHeldRounds } from './held-rounds.js';
import { iotlbBlocks } from './iotlb-blocks.js';
import type { BpftraceDialect } from './bpftrace-dialects.js';
import { blockText, type ProbeBlock } from './program-text.js';
import { rangeBlocks } from './range-blocks.js';
import { roundBlocks } from './round-blocks.js';
import { lifeBlocks, setUpBlocks } from './set-up-blocks.js';

/** Between two heartbeats of a CPU. */
export const HEARTBEAT_MS = 100;

/** The text of the program for a version of bpftrace. Pure: the same plan gives the same text. */
export function bpftraceProgram(plan: ProbePlan, dialect: BpftraceDialect): string {
  const blocks = [
    begin(plan),
    ...structsOfModule(plan, dialect),
    ...roundBlocks(plan, dialect),
    ...accessBlocks(plan),
    ...(plan.directMap === undefined
      ? [...setUpBlocks(plan), ...lifeBlocks(plan)]
      : directMapBlocks(plan, plan.directMap, dialect)),
    ...iotlbBlocks(plan),
    ...dirtyLogBlocks(plan),
    ...rangeBlocks(plan, dialect),
    heartbeat(plan),
  ];
  const text = blocks.map(blockText).join('\n\n');
  return `${text}\n\n${blockText(end(text))}\n`;
}

/** Counts that heartbeats tell, also where no probe adds to them. */
const COUNTS = [...LINE_CLASSES.map(({ name }) => name), 'foreign', 'elsewhere'];

function begin(plan: ProbePlan): ProbeBlock {
  return {
    comment: [],
    points: ['BEGIN'],
    body: [
      `printf("${tellsDecisions(plan.directMap) ? ATTACH_DIRECT_MAP_HEADER : ATTACH_HEADER}\\n");`,
      ...COUNTS.map((name) => `@${name}[cpu] = (uint64)0;`),
      ...declareCounters(plan),
      ...declareHeldRounds(plan),
      // So that bpftrace reads the names of the kernel's functions before a range waits for them.
      ...(plan.coreRanges === undefined ? [] : ['printf("stack 0 0%sstack end\\n", kstack(1));']),
    ],
  };
}

/** Where only such a probe makes bpftrace read the structs of vhost; it fires seldom, and does nothing. */
function structsOfModule(
  { cleanup, round }: ProbePlan,
  { moduleStructs }: BpftraceDialect,
): ProbeBlock[] {
  if (moduleStructs !== 'kfunc') return [];
  return [
    {
      comment: ['Names the module whose structs are read.'],
      points: [`kfunc:vhost:${cleanup ?? round}`],
      body: [],
    },
  ];
}

function heartbeat(plan: ProbePlan): ProbeBlock {
  const columns = Object.fromEntries(
    LINE_CLASSES.map(({ name, field }) => [field, `@${name}[cpu]`]),
  );
  return {
    comment: ['How many lines this CPU has emitted: what has not arrived by then is lost.'],
    points: [`profile:ms:${HEARTBEAT_MS}`],
    body: [
      ...tellHeldRounds(plan),
      eventPrintf('heartbeat', {
        ...columns,
        filteredForeign: '@foreign[cpu]',
        filteredElsewhere: '@elsewhere[cpu]',
      }),
    ],
  };
}

/** bpftrace prints what maps hold when it ends, and nobody wants that. */
function end(text: string): ProbeBlock {
  const maps = new Set(text.match(/@\w+(?=\[)/g));
  return {
    comment: [],
    points: ['END'],
    body: [...maps].toSorted().map((map) => `clear(${map});`),
  };
}
