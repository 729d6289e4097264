/**
 * Work of the host for a device that no design changes, and that a recording tells all the same: the device IOTLB
 * (VIRTIO_F_ACCESS_PLATFORM) and the log of dirty memory (VHOST_F_LOG_ALL).
 */
import type { VhostFacts } from '../host/host-facts.js';
import type { PlannedView } from './probe-plan.js';

/** Functions by which misses of the device IOTLB are seen. */
export interface PlannedMisses {
  /** Takes a message to or from the owner of a device: each miss, and again when it was read. */
  readonly enqueue: string;
  readonly read: string;
}

/** Functions by which the owner's answers are seen. */
export interface PlannedAnswers {
  readonly write: string;
  readonly add: string;
  readonly remove: string;
}

export interface PlannedHostWork {
  readonly misses: PlannedMisses | undefined;
  readonly answers: PlannedAnswers | undefined;
  /** Where a virtqueue has the translations that are kept for it (meta-IOTLB), by the kernel's own types, in bytes. */
  readonly metaIotlb: number | undefined;
  /** Sets the bits of a stretch of memory. */
  readonly logWrite: string | undefined;
}

const [ENQUEUE, READ, WRITE, ADD, REMOVE, LOG_WRITE] = [
  'vhost_enqueue_msg',
  'vhost_chr_read_iter',
  'vhost_chr_write_iter',
  'vhost_iotlb_add_range',
  'vhost_iotlb_del_range',
  'log_write',
] as const;

export const HOST_WORK_FUNCTIONS: readonly string[] = [
  ENQUEUE,
  READ,
  WRITE,
  ADD,
  REMOVE,
  LOG_WRITE,
];

export function planHostWork(
  has: (name: string) => boolean,
  { metaIotlb }: Pick<VhostFacts, 'metaIotlb'>,
): PlannedHostWork {
  return {
    metaIotlb,
    misses: [ENQUEUE, READ].every(has) ? { enqueue: ENQUEUE, read: READ } : undefined,
    answers: [WRITE, ADD, REMOVE].every(has)
      ? { write: WRITE, add: ADD, remove: REMOVE }
      : undefined,
    logWrite: has(LOG_WRITE) ? LOG_WRITE : undefined,
  };
}

export function hostWorkViews(
  { misses, answers, metaIotlb, logWrite }: PlannedHostWork,
  round: string,
): PlannedView[] {
  const view = (
    what: string,
    by: readonly (string | undefined)[],
    note: string,
    hidden: string,
  ): PlannedView => {
    const known = by.filter((name) => name !== undefined);
    return known.length === 0
      ? { what, certainty: 'invisible', by: [], note: hidden }
      : { what, certainty: 'exact', by: known, note };
  };
  return [
    view(
      'misses of the device IOTLB',
      [misses?.enqueue, misses?.read],
      'one event for each translation that the owner of a device is asked for',
      'the functions that ask the owner of a device for translations cannot be probed',
    ),
    view(
      'answers to the device IOTLB',
      [answers?.write, answers?.add, answers?.remove],
      'one event for each translation that the owner of a device gives or takes back',
      'the functions by which the owner of a device gives translations cannot be probed',
    ),
    view(
      'meta-IOTLB of rings',
      [metaIotlb === undefined ? undefined : round],
      'which areas the device IOTLB keeps a translation of, at both ends of each round',
      "the kernel's types (BTF) do not tell where a virtqueue has the translations that are kept for it",
    ),
    view(
      'dirty log',
      [logWrite],
      'counted in the kernel, and told at the ends of rounds: stretches, bits, and failures of get_user_pages, put down to the virtqueue whose round it is. Of a stretch that fails, bits that were set before are not known',
      'log_write cannot be probed: it is not there, or the compiler put it into its callers',
    ),
  ];
}
