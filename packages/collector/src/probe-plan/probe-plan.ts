/**
 * What a recording of a host rests on: for every kind of event the best of several ways to see it that
 * this kernel offers, and how sure it is. Pure: facts in, plan out.
 */
import { LONGEST_CHAIN, type HANDLERS } from '@vhostscope/model';
import type { HostFacts } from '../host/host-facts.js';
import type { Detail } from './detail.js';
import {
  accessorView,
  DIRECT_MAP_FUNCTIONS,
  directMapLife,
  directMapViews,
  inlinedWords,
  planDirectMap,
  tellsDecisions,
  type PlannedDirectMap,
} from './direct-map-plan.js';
import { planLooks, type PlannedLooks } from './page-look-plan.js';

/** How sure what a way shows is. */
export type Certainty = 'exact' | 'by rule' | 'estimated' | 'invisible';

/** One line of the plan, for people and for the trace. */
export interface PlannedView {
  /** What is to be seen. */
  readonly what: string;
  readonly certainty: Certainty;
  /** Functions that are probed, or files that are read; none where it is invisible. */
  readonly by: readonly string[];
  /** What that means, in a sentence. */
  readonly note: string;
}

export interface PlannedHandler {
  readonly name: string;
  readonly handler: (typeof HANDLERS)[number];
}

/** Functions that access a ring, for the levels that look at them. */
export interface PlannedCalls {
  readonly getDescriptor: string;
  readonly addUsed: string;
  readonly discard: string | undefined;
  readonly signal: string | undefined;
  /** They signal what they put; both call `addUsed` for that. */
  readonly addUsedAndSignal: readonly string[];
  readonly enableNotify: string | undefined;
  readonly disableNotify: string | undefined;
  readonly availEmpty: string | undefined;
}

export interface ProbePlan {
  readonly detail: Detail;
  /** Function that begins a round. */
  readonly round: string;
  /** Functions that end one when they return. */
  readonly handlers: readonly PlannedHandler[];
  readonly ringIoctl: string | undefined;
  readonly setOwner: string | undefined;
  readonly cleanup: string | undefined;
  readonly initIotlb: string | undefined;
  readonly initAccess: string | undefined;
  /** Undefined at the level `rounds`, and where the accessors themselves are probed. */
  readonly calls: PlannedCalls | undefined;
  /** Undefined on a stock kernel. */
  readonly directMap: PlannedDirectMap | undefined;
  readonly coreRanges: { readonly start: string; readonly end: string } | undefined;
  /** Flushes the TLB of a range of an address space, on x86. */
  readonly flush: string | undefined;
  /** Ends an address space, when no device uses it any more. */
  readonly endOfMemory: string | undefined;
  /** Member of struct mm_struct that is not 0 where an address space has notifiers. */
  readonly notifierField: string | undefined;
  /** How page tables are walked; undefined where they are not. */
  readonly looks: PlannedLooks | undefined;
  readonly views: readonly PlannedView[];
}

/** Why no recording is possible, and what to change. */
export interface PlanRefusal {
  readonly lacks: 'rounds' | 'calls';
  readonly reason: string;
  readonly advice: string;
}

/** Who begins a round, by kernel: the name up to 5.2 comes last (reference §5.1). */
export const ROUND = ['vq_meta_prefetch', 'vq_iotlb_prefetch'];

/** Whose return ends a round (reference §5.1). */
export const HANDLER_FUNCTIONS: readonly PlannedHandler[] = [
  { name: 'handle_rx', handler: 'net_rx' },
  { name: 'handle_tx', handler: 'net_tx' },
  { name: 'vhost_transport_do_send_pkt', handler: 'vsock' },
  { name: 'vhost_vsock_handle_tx_kick', handler: 'vsock' },
];

/** Functions that a plan may ask for; nothing else needs to be looked up on the host. */
export const PLANNED_FUNCTIONS: readonly string[] = [
  ...ROUND,
  ...HANDLER_FUNCTIONS.map(({ name }) => name),
  'vhost_vring_ioctl',
  'vhost_dev_set_owner',
  'vhost_dev_cleanup',
  'vhost_init_device_iotlb',
  'vhost_vq_init_access',
  'vhost_get_vq_desc',
  'vhost_discard_vq_desc',
  'vhost_add_used_n',
  'vhost_add_used_and_signal',
  'vhost_add_used_and_signal_n',
  'vhost_signal',
  'vhost_enable_notify',
  'vhost_disable_notify',
  'vhost_vq_avail_empty',
  '__mmu_notifier_invalidate_range_start',
  '__mmu_notifier_invalidate_range_end',
  'exit_mmap',
  'flush_tlb_mm_range',
  ...DIRECT_MAP_FUNCTIONS,
];

export function planProbes(facts: HostFacts, detail: Detail): ProbePlan | PlanRefusal {
  const has = (name: string): boolean => facts.functions.includes(name);
  const found = (name: string): string | undefined => (has(name) ? name : undefined);
  const round = ROUND.find(has);
  if (round === undefined)
    return {
      lacks: 'rounds',
      reason:
        'no function of this kernel begins a round: neither vq_meta_prefetch nor vq_iotlb_prefetch can be probed',
      advice: facts.vhost.isLoaded
        ? 'use a kernel whose vhost is not built with its functions hidden from tracing'
        : 'load the module first: modprobe vhost_net',
    };
  const handlers = HANDLER_FUNCTIONS.filter(({ name }) => has(name));
  const coreRanges =
    has('__mmu_notifier_invalidate_range_start') && has('__mmu_notifier_invalidate_range_end')
      ? {
          start: '__mmu_notifier_invalidate_range_start',
          end: '__mmu_notifier_invalidate_range_end',
        }
      : undefined;
  const directMap = planDirectMap(has, detail);
  const needsCalls = detail !== 'rounds' && !tellsDecisions(directMap);
  const calls = needsCalls ? planCalls(has) : undefined;
  if (needsCalls && calls === undefined)
    return {
      lacks: 'calls',
      reason: `--detail ${detail} needs vhost_get_vq_desc and vhost_add_used_n, and this kernel hides one of them`,
      advice: '--detail rounds needs neither',
    };
  // Where the driver maps itself, its own attempts are seen.
  const looks = directMap === undefined ? planLooks(facts.kernel) : undefined;
  const plan = {
    detail,
    calls,
    directMap,
    round,
    handlers,
    ringIoctl: found('vhost_vring_ioctl'),
    setOwner: found('vhost_dev_set_owner'),
    cleanup: found('vhost_dev_cleanup'),
    initIotlb: found('vhost_init_device_iotlb'),
    initAccess: found('vhost_vq_init_access'),
    coreRanges,
    endOfMemory: found('exit_mmap'),
    flush: facts.kernel.architecture === 'x86_64' ? found('flush_tlb_mm_range') : undefined,
    notifierField: notifierField(facts.kernel.release),
    looks: typeof looks === 'object' ? looks : undefined,
  };
  return { ...plan, views: [...viewsOf(plan), pagesView(round, looks)] };
}

function planCalls(has: (name: string) => boolean): PlannedCalls | undefined {
  const found = (name: string): string | undefined => (has(name) ? name : undefined);
  const getDescriptor = found('vhost_get_vq_desc');
  const addUsed = found('vhost_add_used_n');
  if (getDescriptor === undefined || addUsed === undefined) return undefined;
  return {
    getDescriptor,
    addUsed,
    discard: found('vhost_discard_vq_desc'),
    signal: found('vhost_signal'),
    addUsedAndSignal: ['vhost_add_used_and_signal', 'vhost_add_used_and_signal_n'].filter(has),
    enableNotify: found('vhost_enable_notify'),
    disableNotify: found('vhost_disable_notify'),
    availEmpty: found('vhost_vq_avail_empty'),
  };
}

/** It was renamed for Linux 5.6; of that one it is not asked, as its release candidates have either. */
function notifierField(release: string): string | undefined {
  const [, major = 0, minor = 0] = /^(\d+)\.(\d+)/.exec(release)?.map(Number) ?? [];
  if (major === 0) return undefined;
  if (major < 5 || (major === 5 && minor < 6)) return 'mmu_notifier_mm';
  return major === 5 && minor === 6 ? undefined : 'notifier_subscriptions';
}

export function isRefusal(plan: ProbePlan | PlanRefusal): plan is PlanRefusal {
  return 'reason' in plan;
}

function viewsOf(plan: Omit<ProbePlan, 'views'>): PlannedView[] {
  const { round, handlers, ringIoctl, setOwner, cleanup, initIotlb, initAccess, coreRanges } = plan;
  const { directMap } = plan;
  const flush = plan.notifierField === undefined ? undefined : plan.flush;
  const setUp = [ringIoctl, setOwner, cleanup, initIotlb].flatMap((name) => name ?? []);
  return [
    {
      what: 'rings',
      certainty: 'exact',
      by: [round, ...(ringIoctl === undefined ? [] : [ringIoctl])],
      note: 'device, entries and addresses of a virtqueue, when it is first seen and when it is set up',
    },
    {
      what: 'rounds',
      certainty: 'exact',
      by: [round],
      note: 'one event for each turn of a handler on a virtqueue',
    },
    {
      what: 'heads and used entries',
      certainty: handlers.length > 0 ? 'exact' : 'invisible',
      by: handlers.map(({ name }) => name),
      note:
        handlers.length > 0
          ? 'per round, from the indices of the ring before and after it'
          : 'the return of no handler can be probed',
    },
    accessesView(plan),
    ...(initAccess === undefined || tellsDecisions(directMap)
      ? []
      : [
          {
            what: 'accesses when a backend is attached',
            certainty: 'by rule' as const,
            by: [initAccess],
            note: 'put_used_flags and get_used_idx',
          },
        ]),
    directMap === undefined
      ? {
          what: 'life of devices and their notifier',
          certainty: setUp.length > 0 ? 'by rule' : 'invisible',
          by: setUp,
          note: 'this kernel has no notifier for vhost: where the design would register or unregister one is told instead',
        }
      : directMapLife(directMap),
    ...(directMap === undefined ? [] : directMapViews(directMap)),
    coreRanges === undefined
      ? {
          what: 'invalidations',
          certainty: 'invisible',
          by: [],
          note: 'the calls of the notifiers cannot be probed',
        }
      : {
          what: 'invalidations',
          certainty: 'exact',
          by: [coreRanges.start, coreRanges.end],
          note: 'of address spaces that have a notifier, as every process with a KVM VM does; of others they are invisible. Each virtqueue tells whether its process has one',
        },
    ...(coreRanges === undefined
      ? []
      : [
          {
            what: 'who invalidates',
            certainty: 'by rule' as const,
            by: [coreRanges.start],
            note: 'a class, such as ksm or compaction, from the names of the functions on the kernel stack; the process, when the range was its own',
          },
        ]),
    {
      what: 'changes where no notifier listens',
      certainty: flush === undefined ? 'invisible' : 'estimated',
      by: flush === undefined ? [] : [flush],
      note:
        flush === undefined
          ? 'nothing tells when the pages of such an address space change'
          : 'when the TLB is flushed: the range is as wide as the change or wider, and the change was a little earlier. Reclaim may flush the pages of many at once, and that is not told',
    },
  ];
}

function pagesView(round: string, looks: PlannedLooks | string | undefined): PlannedView {
  const pagemap = '/proc/PID/pagemap';
  if (typeof looks !== 'object')
    return {
      what: 'pages',
      certainty: 'estimated',
      by: [pagemap],
      note: `whether pages are there and follow each other, from time to time; whether they may be written is not visible${looks === undefined ? '' : `: ${looks}`}`,
    };
  return {
    what: 'pages',
    certainty: 'exact',
    by: [round, pagemap],
    note: `whether pages are there, may be written and follow each other: the page tables are walked where a round begins, after an invalidation and some times a second. Those of rings of more than 2,048 entries are estimated from ${pagemap}`,
  };
}

function accessesView({
  detail,
  calls,
  handlers,
  directMap,
}: Pick<ProbePlan, 'detail' | 'calls' | 'handlers' | 'directMap'>): PlannedView {
  if (directMap?.accessors !== undefined) return accessorView(directMap.accessors);
  const what = 'accesses by accessor';
  const inlined = directMap === undefined ? '' : inlinedWords(directMap, detail);
  if (calls === undefined)
    return {
      what,
      certainty: handlers.length > 0 ? 'by rule' : 'invisible',
      by: handlers.map(({ name }) => name),
      note: `from heads and used entries, by what vhost is known to do for them; of a round in which several chains were taken, get_desc is estimated from the length of its first${inlined}`,
    };
  const { addUsedAndSignal, ...others } = calls;
  const by = [...Object.values(others), ...addUsedAndSignal].filter((name) => name !== undefined);
  const hidden = Object.values(others).filter((name) => name === undefined).length;
  return {
    what,
    certainty: hidden > 0 ? 'estimated' : 'exact',
    by,
    note: `${detail === 'calls' ? 'counted in the kernel, and told at the ends of rounds' : 'one event each'}: what follows from each call and the state of the ring${hidden > 0 ? '; some calls cannot be probed, and their accesses are missing' : ''}. Chains of more than ${LONGEST_CHAIN} descriptors count as ${LONGEST_CHAIN + 1}, one that cannot be read as one, and a call that fails as if it had not${inlined}`,
  };
}
