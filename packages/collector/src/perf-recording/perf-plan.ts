/** What a recording with perf would see. It rests on the plan for bpftrace: the functions are the same. */
import type { HostFacts } from '../host/host-facts.js';
import type { Detail } from '../probe-plan/detail.js';
import { hostWorkViews } from '../probe-plan/host-work-plan.js';
import { pagesView } from '../probe-plan/page-look-plan.js';
import {
  isRefusal,
  planProbes,
  type PlannedView,
  type PlanRefusal,
  type ProbePlan,
} from '../probe-plan/probe-plan.js';
import { probeDefinitions, type ProbeDefinition, type UnlockSite } from './probe-definitions.js';

export interface PerfPlan {
  readonly detail: 'rounds';
  readonly definitions: readonly ProbeDefinition[];
  readonly mutexOffset: number;
  readonly views: readonly PlannedView[];
}

export function planPerf(facts: HostFacts, detail: Detail): PerfPlan | PlanRefusal {
  if (detail !== 'rounds')
    return {
      lacks: 'calls',
      reason: `--detail ${detail} cannot be recorded with perf: it would print several events for each packet, and knows nothing of the state that tells which accesses a call makes`,
      advice: '--detail rounds can, and bpftrace can record both',
      views: [],
    };
  const plan = planProbes(facts, detail);
  if (isRefusal(plan)) return plan;
  const { layout, sites } = facts.perf ?? {};
  if (plan.directMap !== undefined)
    return refuse(plan, 'perf does not tell what a kernel with the direct-map code decides');
  if (layout === undefined || typeof layout === 'string')
    return refuse(plan, layout ?? 'the structs of vhost are not known');
  if (sites === undefined || typeof sites === 'string')
    return refuse(plan, sites ?? 'the code of vhost is not known');
  const ends = sites.filter(({ event }) => event !== 'set_up_state');
  if (ends.length === 0)
    return refuse(plan, 'no place is found where a handler of vhost lets go of its virtqueue');
  return {
    detail,
    definitions: probeDefinitions(plan, sites, layout),
    mutexOffset: layout.virtqueue.mutex.offset,
    views: viewsOf(plan, ends),
  };
}

function refuse({ views }: ProbePlan, reason: string): PlanRefusal {
  return { lacks: 'rounds', reason, advice: 'record with bpftrace', views };
}

const NO_HOST_WORK = {
  misses: undefined,
  answers: undefined,
  metaIotlb: undefined,
  logWrite: undefined,
} as const;

const UNSEEN = 'not recorded with perf: bpftrace can record it';

function viewsOf(plan: ProbePlan, ends: readonly UnlockSite[]): PlannedView[] {
  const places = ends.map(({ place }) => place);
  const blind = plan.handlers
    .map(({ name }) => name)
    .filter((name) => !places.some((place) => place.includes(`${name}+`)));
  const unseen =
    blind.length === 0 ? '' : `; where ${blind.join(' and ')} let go of it is not found`;
  const changed: Readonly<Record<string, Partial<PlannedView>>> = {
    rings: {
      note: 'device, entries and addresses of a virtqueue, when its first round is seen and when it is set up: one that was set up before and is idle is not told',
    },
    'heads and used entries': {
      by: places,
      note: `per round, from the indices of the ring as the handler finds it, and as it is where its mutex is let go${unseen}`,
    },
    'accesses by accessor': {
      by: places,
      note: 'from heads and used entries, by what vhost is known to do for them; how long chains are perf cannot read, so that get_desc is estimated, and is one of each head at the least',
    },
    'changes where no notifier listens': {
      certainty: 'invisible',
      by: [],
      note: 'flushes of the TLB are not recorded: perf would print those of all processes',
    },
    pages: pagesView(plan.round, undefined),
    ...Object.fromEntries(
      hostWorkViews(NO_HOST_WORK, plan.round).map((view) => [view.what, { ...view, note: UNSEEN }]),
    ),
  };
  return plan.views.map((view) => ({ ...view, ...changed[view.what] }));
}
