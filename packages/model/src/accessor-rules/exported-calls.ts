/**
 * The functions that vhost exports to its drivers, as far as ring metadata is concerned: what is put
 * into a call, and what a virtqueue remembers between calls (reference §4).
 */

/** Fields of struct vhost_virtqueue that decide which accessors run. Indices are 16 bit. */
export interface RingState {
  num: number;
  /** VIRTIO_RING_F_EVENT_IDX is acked. */
  eventIdx: boolean;
  /** VIRTIO_F_NOTIFY_ON_EMPTY is acked. */
  notifyOnEmpty: boolean;
  /** vq->call_ctx has an eventfd. */
  callEventfd: boolean;
  /** vq->private_data is set. */
  backend: boolean;
  /** VRING_USED_F_NO_NOTIFY in vq->used_flags. */
  noNotify: boolean;
  lastAvailIdx: number;
  /** The cached avail index. */
  availIdx: number;
  lastUsedIdx: number;
  signalledUsed: number;
  signalledUsedValid: boolean;
}

/** A virtqueue after vhost_vq_reset, with the entries of its ring set (reference §1.5). */
export function createRingState(num: number): RingState {
  return {
    num,
    eventIdx: false,
    notifyOnEmpty: false,
    callEventfd: false,
    backend: false,
    noNotify: false,
    lastAvailIdx: 0,
    availIdx: 0,
    lastUsedIdx: 0,
    signalledUsed: 0,
    signalledUsedValid: false,
  };
}

/** Of any call: which of its accesses fails, from 1; the kernel then goes on as §4 says. */
interface MayFail {
  readonly failsAt?: number;
}

/** Of a call that may read the index of the avail ring: what stands there. */
interface ReadsIndex {
  readonly inMemory: number;
}

export type ExportedCall = MayFail &
  (
    | ({
        readonly function: 'vhost_get_vq_desc';
        /** Descriptors of the chain in the main table; absent when not known. */
        readonly chain?: number;
      } & ReadsIndex)
    | { readonly function: 'vhost_add_used_n'; readonly count: number }
    | { readonly function: 'vhost_signal' }
    | { readonly function: 'vhost_add_used_and_signal_n'; readonly count: number }
    | ({ readonly function: 'vhost_enable_notify' } & ReadsIndex)
    | { readonly function: 'vhost_disable_notify' }
    | ({ readonly function: 'vhost_vq_avail_empty' } & ReadsIndex)
    | { readonly function: 'vhost_vq_init_access'; readonly usedInMemory: number }
    | { readonly function: 'vhost_discard_vq_desc'; readonly count: number }
    | { readonly function: 'vq_meta_prefetch' }
  );

/** What the caller learns, as far as a handler goes by it. */
export type Answer = 'done' | 'head' | 'empty' | 'true' | 'false' | 'failed';

/** Accesses of one kind in a row. */
export interface DerivedAccesses {
  readonly accessor: number;
  /** Entries of a put_used, 1 of all others. */
  readonly entries: number;
  /** How many, both inclusive. They differ only for the descriptors of a chain of unknown length. */
  readonly least: number;
  readonly most: number;
}

export interface Derivation {
  readonly accesses: readonly DerivedAccesses[];
  readonly answer: Answer;
}
