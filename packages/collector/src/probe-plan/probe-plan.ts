/**
 * What a recording of a host rests on: for every kind of event the best of several ways to see it that
 * this kernel offers, and how sure it is. Pure: facts in, plan out.
 */
import { LONGEST_CHAIN, type HANDLERS } from '@vhostscope/model';
import type { HostFacts } from '../host/host-facts.js';
import type { KernelFacts } from '../host/kernel-facts.js';
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
import {
  HOST_WORK_FUNCTIONS,
  hostWorkViews,
  planHostWork,
  type PlannedHostWork,
} from './host-work-plan.js';
import { MEMORY_FUNCTIONS, memoryViews, planMemory, type PlannedMemory } from './memory-plan.js';
import { pagesView, planLooks, type PlannedLooks } from './page-look-plan.js';

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
  /** A function that does nothing but call that one, where there is one. */
  readonly getDescriptorByAnother: string | undefined;
  readonly addUsed: string;
  /** Its argument that says how many elements are put. */
  readonly addUsedCount: 'arg2' | 'arg3';
  readonly discard: string | undefined;
  readonly signal: string | undefined;
  /** They signal what they put; both call `addUsed` for that. */
  readonly addUsedAndSignal: readonly string[];
  readonly enableNotify: string | undefined;
  readonly disableNotify: string | undefined;
  readonly availEmpty: string | undefined;
}

export interface ProbePlan extends PlannedMemory, PlannedHostWork {
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
  /** Whether a driver may agree to use buffers in order, by which other accesses are made. */
  readonly mayBeInOrder: boolean;
  /** Undefined at the level `rounds`, and where the accessors themselves are probed. */
  readonly calls: PlannedCalls | undefined;
  /** Undefined on a stock kernel. */
  readonly directMap: PlannedDirectMap | undefined;
  /** How page tables are walked; undefined where they are not. */
  readonly looks: PlannedLooks | undefined;
  readonly views: readonly PlannedView[];
}

/** Why no recording is possible, and what to change. */
export interface PlanRefusal {
  readonly lacks: 'rounds' | 'calls';
  readonly reason: string;
  readonly advice: string;
  /** What would be seen all the same, as far as it is known. */
  readonly views: readonly PlannedView[];
}

/** What the level of detail is about. */
const ACCESSES = 'accesses by accessor';

/** Who begins a round, by kernel: the name up to 5.2 comes last (reference §5.1). */
export const ROUND = ['vq_meta_prefetch', 'vq_iotlb_prefetch'];

/** Whose return ends a round (reference §5.1). */
export const HANDLER_FUNCTIONS: readonly PlannedHandler[] = [
  { name: 'handle_rx', handler: 'net_rx' },
  { name: 'handle_tx', handler: 'net_tx' },
  { name: 'vhost_transport_do_send_pkt', handler: 'vsock' },
  { name: 'vhost_vsock_handle_tx_kick', handler: 'vsock' },
];

/** Of Linux 6.18 and newer, beside VIRTIO_F_IN_ORDER (reference §4.7). */
export const IN_ORDER_FUNCTIONS: readonly string[] = ['vhost_get_vq_desc_n'];

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
  ...IN_ORDER_FUNCTIONS,
  'vhost_discard_vq_desc',
  'vhost_add_used_n',
  'vhost_add_used_and_signal',
  'vhost_add_used_and_signal_n',
  'vhost_signal',
  'vhost_enable_notify',
  'vhost_disable_notify',
  'vhost_vq_avail_empty',
  ...HOST_WORK_FUNCTIONS,
  ...MEMORY_FUNCTIONS,
  ...DIRECT_MAP_FUNCTIONS,
];

export function planProbes(facts: HostFacts, detail: Detail): ProbePlan | PlanRefusal {
  const has = (name: string): boolean => facts.functions.includes(name);
  const found = (name: string): string | undefined => (has(name) ? name : undefined);
  const round = ROUND.find(has);
  const directMap = planDirectMap(has, detail);
  const memory = planMemory(has, facts.kernel);
  // Where the driver maps itself, its own attempts are seen.
  const looks = directMap === undefined ? planLooks(facts.kernel) : undefined;
  const seenAnyway = [...memoryViews(memory), pagesView(round, looks)];
  if (round === undefined) return refuseRounds(facts, seenAnyway);
  const mayBeInOrder = isInOrderKernel(has, facts.kernel);
  const needsCalls = detail !== 'rounds' && !tellsDecisions(directMap);
  const plan = {
    detail,
    mayBeInOrder,
    calls: needsCalls ? planCalls(has, mayBeInOrder) : undefined,
    directMap,
    round,
    handlers: HANDLER_FUNCTIONS.filter(({ name }) => has(name)),
    ringIoctl: found('vhost_vring_ioctl'),
    setOwner: found('vhost_dev_set_owner'),
    cleanup: found('vhost_dev_cleanup'),
    initIotlb: found('vhost_init_device_iotlb'),
    initAccess: found('vhost_vq_init_access'),
    ...memory,
    ...planHostWork(has, facts.vhost),
    looks: typeof looks === 'object' ? looks : undefined,
  };
  const views = [...viewsOf(plan), ...hostWorkViews(plan, round), ...seenAnyway];
  if (needsCalls && plan.calls === undefined)
    return {
      lacks: 'calls',
      reason: `--detail ${detail} needs vhost_get_vq_desc and vhost_add_used_n, and this kernel hides one of them`,
      advice: '--detail rounds needs neither',
      views: views.filter(({ what }) => what !== ACCESSES),
    };
  return { ...plan, views };
}

function refuseRounds(
  { vhost, functions }: HostFacts,
  seenAnyway: readonly PlannedView[],
): PlanRefusal {
  const lacks = 'rounds';
  // Every kernel has some of them: the list could not be read.
  const views = functions.length === 0 ? [] : seenAnyway;
  return vhost.isLoaded
    ? {
        lacks,
        reason:
          'no function of this kernel begins a round: neither vq_meta_prefetch nor vq_iotlb_prefetch can be probed',
        advice: 'use a kernel whose vhost is not built with its functions hidden from tracing',
        views,
      }
    : {
        lacks,
        reason: 'how rings, rounds and accesses would be seen is not known before vhost is loaded',
        advice: 'load it first',
        views,
      };
}

/** By the function that came with it, which release candidates of 6.18 do not have yet. */
function isInOrderKernel(has: (name: string) => boolean, { release }: KernelFacts): boolean {
  const [, major = 0, minor = 0] = /^(\d+)\.(\d+)/.exec(release)?.map(Number) ?? [];
  return IN_ORDER_FUNCTIONS.some(has) || major > 6 || (major === 6 && minor >= 18);
}

function planCalls(
  has: (name: string) => boolean,
  mayBeInOrder: boolean,
): PlannedCalls | undefined {
  const found = (name: string): string | undefined => (has(name) ? name : undefined);
  const whole = found('vhost_get_vq_desc');
  // vhost-net calls it itself from 6.18 on, and what was called before is a way to it.
  const counting = found('vhost_get_vq_desc_n');
  const getDescriptor = counting ?? whole;
  const addUsed = found('vhost_add_used_n');
  if (getDescriptor === undefined || addUsed === undefined) return undefined;
  return {
    getDescriptor,
    getDescriptorByAnother: counting === undefined ? undefined : whole,
    addUsed,
    // Before it stands how many buffers each element is of.
    addUsedCount: mayBeInOrder ? 'arg3' : 'arg2',
    discard: found('vhost_discard_vq_desc'),
    signal: found('vhost_signal'),
    addUsedAndSignal: ['vhost_add_used_and_signal', 'vhost_add_used_and_signal_n'].filter(has),
    enableNotify: found('vhost_enable_notify'),
    disableNotify: found('vhost_disable_notify'),
    availEmpty: found('vhost_vq_avail_empty'),
  };
}

export function isRefusal(plan: ProbePlan | PlanRefusal): plan is PlanRefusal {
  return 'reason' in plan;
}

function viewsOf(plan: Omit<ProbePlan, 'views'>): PlannedView[] {
  const { round, handlers, ringIoctl, setOwner, cleanup, initIotlb, initAccess, directMap } = plan;
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
  ];
}

function accessesView({
  detail,
  calls,
  handlers,
  directMap,
  mayBeInOrder,
}: Pick<ProbePlan, 'detail' | 'calls' | 'handlers' | 'directMap' | 'mayBeInOrder'>): PlannedView {
  if (directMap?.accessors !== undefined) return accessorView(directMap.accessors);
  const what = ACCESSES;
  const inlined = directMap === undefined ? '' : inlinedWords(directMap, detail);
  if (calls === undefined)
    return {
      what,
      certainty: handlers.length > 0 ? 'by rule' : 'invisible',
      by: handlers.map(({ name }) => name),
      note: `from heads and used entries, by what vhost is known to do for them; of a round in which several chains were taken, get_desc is estimated from the length of its first${mayBeInOrder ? IN_ORDER_ROUNDS : ''}${inlined}`,
    };
  const { addUsedAndSignal, addUsedCount: _, getDescriptorByAnother, ...others } = calls;
  const by = [...Object.values(others), getDescriptorByAnother, ...addUsedAndSignal].filter(
    (name) => name !== undefined,
  );
  const hidden = Object.values(others).filter((name) => name === undefined).length;
  return {
    what,
    certainty: hidden > 0 ? 'estimated' : 'exact',
    by,
    note: `${detail === 'calls' ? 'counted in the kernel, and told at the ends of rounds' : 'one event each'}: what follows from each call and the state of the ring${hidden > 0 ? '; some calls cannot be probed, and their accesses are missing' : ''}. Chains of more than ${LONGEST_CHAIN} descriptors count as ${LONGEST_CHAIN + 1}, one that cannot be read as one, and a call that fails as if it had not${mayBeInOrder ? inOrderCalls(detail) : ''}${inlined}`,
  };
}

const UNTESTED = 'Untested: it was run on no kernel that has this';

const IN_ORDER_ROUNDS = `. Of a virtqueue with VIRTIO_F_IN_ORDER no heads are read, and how many used elements were written is estimated. ${UNTESTED}`;

function inOrderCalls(detail: Detail): string {
  return `. Of a virtqueue with VIRTIO_F_IN_ORDER they are not told at --detail ${detail}, and count as lost: --detail rounds tells them. ${UNTESTED}`;
}
