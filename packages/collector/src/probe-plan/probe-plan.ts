/**
 * What a recording of a host rests on: for every kind of event the best of several ways to see it that
 * this kernel offers, and how sure it is. Pure: facts in, plan out.
 */
import type { HANDLERS } from '@vhostscope/model';
import type { HostFacts } from '../host/host-facts.js';
import type { Detail } from './detail.js';

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
  readonly coreRanges: { readonly start: string; readonly end: string } | undefined;
  readonly views: readonly PlannedView[];
}

/** Why no recording is possible, and what to change. */
export interface PlanRefusal {
  readonly reason: string;
  readonly advice: string;
}

/** Who begins a round, by kernel: the name up to 5.2 comes last (reference §5.1). */
const ROUND = ['vq_meta_prefetch', 'vq_iotlb_prefetch'];

/** Whose return ends a round (reference §5.1). */
const HANDLER_FUNCTIONS: readonly PlannedHandler[] = [
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
  '__mmu_notifier_invalidate_range_start',
  '__mmu_notifier_invalidate_range_end',
  // Of the direct-map driver: seen, and not used yet.
  'vhost_invalidate_vq_start',
  'vhost_map_prefetch',
];

export function planProbes(facts: HostFacts, detail: Detail): ProbePlan | PlanRefusal {
  const has = (name: string): boolean => facts.functions.includes(name);
  const found = (name: string): string | undefined => (has(name) ? name : undefined);
  const round = ROUND.find(has);
  if (round === undefined)
    return {
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
  const plan = {
    detail,
    round,
    handlers,
    ringIoctl: found('vhost_vring_ioctl'),
    setOwner: found('vhost_dev_set_owner'),
    cleanup: found('vhost_dev_cleanup'),
    initIotlb: found('vhost_init_device_iotlb'),
    initAccess: found('vhost_vq_init_access'),
    coreRanges,
  };
  return { ...plan, views: viewsOf(plan) };
}

export function isRefusal(plan: ProbePlan | PlanRefusal): plan is PlanRefusal {
  return 'reason' in plan;
}

function viewsOf(plan: Omit<ProbePlan, 'views'>): PlannedView[] {
  const { round, handlers, ringIoctl, setOwner, cleanup, initIotlb, initAccess, coreRanges } = plan;
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
    {
      what: 'accesses by accessor',
      certainty: handlers.length > 0 ? 'by rule' : 'invisible',
      by: handlers.map(({ name }) => name),
      note: 'from heads and used entries, by what vhost is known to do for them; of a round in which several chains were taken, get_desc is estimated from the length of its first',
    },
    ...(initAccess === undefined
      ? []
      : [
          {
            what: 'accesses when a backend is attached',
            certainty: 'by rule' as const,
            by: [initAccess],
            note: 'put_used_flags and get_used_idx',
          },
        ]),
    {
      what: 'life of devices and their notifier',
      certainty: setUp.length > 0 ? 'by rule' : 'invisible',
      by: setUp,
      note: 'this kernel has no notifier for vhost: where the design would register or unregister one is told instead',
    },
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
          note: 'of address spaces that have a notifier, as every process with a KVM VM does; of others they are invisible',
        },
    {
      what: 'pages',
      certainty: 'estimated',
      by: ['/proc/PID/pagemap'],
      note: 'whether pages are there and follow each other, from time to time; whether they may be written is not visible',
    },
  ];
}
