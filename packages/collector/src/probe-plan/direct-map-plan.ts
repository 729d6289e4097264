/**
 * What a kernel whose vhost has the direct-map code shows beside what every kernel does: vhost's own
 * callbacks, its attempts to map, and its accessors where they are functions (reference §1, §3). Which of
 * its functions stand on their own is the compiler's choice, so for each there is a way without it.
 *
 * UNTESTED: no kernel with this code has run the program. Its text is held by snapshots, bpftrace 0.17
 * accepts it against structs of that shape, and what it prints is held by golden traces.
 */
import { ACCESSORS, type Accessor } from '@vhostscope/model';
import type { Detail } from './detail.js';
import type { PlannedView } from './probe-plan.js';

/** How attempts to map are seen. */
export interface PlannedAttempts {
  /** The function that makes one; undefined where it is inlined, and what shows is what it calls. */
  readonly attempt: string | undefined;
  /** Takes the pages, without sleeping. */
  readonly getPages: string;
}

export interface PlannedDirectMap {
  /** vhost's callbacks. */
  readonly callbacks: { readonly start: string; readonly end: string };
  /** Undefined where what takes the pages cannot be probed. */
  readonly attempts: PlannedAttempts | undefined;
  /** Of the memory manager: they register vhost's notifier, and take it away. */
  readonly register: string;
  readonly unregister: string;
  /** Drops the maps of a virtqueue; where it is inlined, that follows `unregister` at once. */
  readonly dropMaps: string | undefined;
  /** Resets a virtqueue. */
  readonly reset: string | undefined;
  /** By accessor: its function. Only at the level `accesses`, and where each has one. */
  readonly accessors: Readonly<Record<Accessor, string>> | undefined;
  /** Accessors that are inlined: what they access has to be derived from the calls. */
  readonly inlined: readonly Accessor[];
}

const CALLBACK_START = 'vhost_invalidate_range_start';
const CALLBACK_END = 'vhost_invalidate_range_end';
const ATTEMPT = 'vhost_map_prefetch';
const DROP_MAPS = 'vhost_uninit_vq_maps';
const RESET = 'vhost_vq_reset';
const REGISTER = 'mmu_notifier_register';
const UNREGISTER = 'mmu_notifier_unregister';

/** By kernel: up to 5.7 it had the first name (reference §5.3). */
const GET_PAGES = ['__get_user_pages_fast', 'get_user_pages_fast_only'];

const ALL_ACCESSORS = ACCESSORS.slice(1) as readonly Accessor[];
const functionOf = (accessor: Accessor): string => `vhost_${accessor}`;

/** Functions that only a kernel with the direct-map code may have, or that matter only there. */
export const DIRECT_MAP_FUNCTIONS: readonly string[] = [
  CALLBACK_START,
  CALLBACK_END,
  ATTEMPT,
  DROP_MAPS,
  RESET,
  REGISTER,
  UNREGISTER,
  ...GET_PAGES,
  ...ALL_ACCESSORS.map(functionOf),
];

/**
 * The plan; undefined where vhost has no callbacks of its own, as on a stock kernel. They are named by a
 * table of functions, so no compiler inlines them.
 */
export function planDirectMap(
  has: (name: string) => boolean,
  detail: Detail,
): PlannedDirectMap | undefined {
  const needed = [CALLBACK_START, CALLBACK_END, REGISTER, UNREGISTER];
  if (!needed.every(has)) return undefined;
  const found = (name: string): string | undefined => (has(name) ? name : undefined);
  const getPages = GET_PAGES.find(has);
  const inlined = ALL_ACCESSORS.filter((accessor) => !has(functionOf(accessor)));
  const isEachThere = detail === 'accesses' && inlined.length === 0;
  return {
    callbacks: { start: CALLBACK_START, end: CALLBACK_END },
    attempts: getPages === undefined ? undefined : { attempt: found(ATTEMPT), getPages },
    register: REGISTER,
    unregister: UNREGISTER,
    dropMaps: found(DROP_MAPS),
    reset: found(RESET),
    accessors: isEachThere
      ? (Object.fromEntries(
          ALL_ACCESSORS.map((accessor) => [accessor, functionOf(accessor)]),
        ) as Record<Accessor, string>)
      : undefined,
    inlined,
  };
}

/**
 * Whether the recording tells each access with its decision, so that it is judged by vhost's callbacks;
 * else what a round accessed is derived, and judged by the memory manager's calls as on a stock kernel.
 */
export function tellsDecisions(directMap: PlannedDirectMap | undefined): boolean {
  return directMap?.accessors !== undefined;
}

const UNTESTED = 'Untested: it has run on no kernel that has this code';

const BEFORE: PlannedView = {
  what: 'what was before the recording',
  certainty: 'invisible',
  by: [],
  note: 'which maps a ring had and what its invalidate_count was: until the ring is reset, most of its decisions are ambiguous. Record from before the device is opened',
};

/** Lines of the plan that a stock kernel has none of. */
export function directMapViews(directMap: PlannedDirectMap): PlannedView[] {
  const { callbacks, attempts } = directMap;
  return [
    {
      what: "vhost's own callbacks",
      certainty: 'exact',
      by: [callbacks.start, callbacks.end],
      note: `when they are entered, beside the memory manager's calls: a call without its callback is a missed invalidation. ${UNTESTED}`,
    },
    ...(tellsDecisions(directMap) ? [BEFORE] : []),
    {
      what: 'effects of callbacks',
      certainty: 'invisible',
      by: [],
      note: 'they happen under a lock, and nothing that can be probed is called while it is held (vhost_invalidate_vq_start and _end begin before it and return behind it): a replay concludes them from the entries (ranges order)',
    },
    attempts === undefined
      ? {
          what: 'attempts to map',
          certainty: 'invisible',
          by: [],
          note: 'neither __get_user_pages_fast nor get_user_pages_fast_only can be probed: whether maps were built is not known',
        }
      : attempts.attempt === undefined
        ? {
            what: 'attempts to map',
            certainty: 'by rule',
            by: [attempts.getPages],
            note: `${ATTEMPT} is inlined: pages that were taken in a round tell of an attempt, a map behind them that it succeeded, and no pages where there was no map that it was refused. ${UNTESTED}`,
          }
        : {
            what: 'attempts to map',
            certainty: 'exact',
            by: [attempts.attempt, attempts.getPages],
            note: `what they return, told when they return: a little after the lock is released, so --use-observations cannot use them. ${UNTESTED}`,
          },
  ];
}

/** Of the life of devices: what the driver is seen to do, instead of what the design would. */
export function directMapLife(directMap: PlannedDirectMap): PlannedView {
  const { register, unregister, dropMaps, reset } = directMap;
  const byRule = [
    ...(dropMaps === undefined ? ['maps that are dropped'] : []),
    ...(reset === undefined ? ['resets'] : []),
  ];
  return {
    what: 'life of devices and their notifier',
    certainty: byRule.length > 0 ? 'by rule' : 'exact',
    by: [register, unregister, ...[dropMaps, reset].flatMap((name) => name ?? [])],
    note: `the notifier of vhost as it is registered and taken away${byRule.length > 0 ? `; ${byRule.join(' and ')} follow from that` : ''}. ${UNTESTED}`,
  };
}

/** Accesses that are told one by one, each with what became of it. */
export function accessorView(accessors: Readonly<Record<Accessor, string>>): PlannedView {
  return {
    what: 'accesses by accessor',
    certainty: 'by rule',
    by: Object.values(accessors),
    note: `one event each, with what became of it, unless a callback comes in the instructions between: whether there was a map when the accessor began. ${UNTESTED}`,
  };
}

/** Said where accesses are derived although the driver has maps. */
export function inlinedWords({ inlined }: PlannedDirectMap, detail: Detail): string {
  return detail === 'accesses'
    ? `. ${inlined.map(functionOf).join(', ')} ${inlined.length === 1 ? 'is' : 'are'} inlined, so what became of an access is not told`
    : inlined.length === 0
      ? '. At --detail accesses each is told with what became of it'
      : '';
}
