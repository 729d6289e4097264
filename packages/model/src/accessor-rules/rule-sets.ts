/**
 * The kernels' rules for ring metadata accesses, as rows of one table of switches (reference §4).
 * A switch is here only when a sequence of accesses can depend on it; all else of §4 is the same in
 * every kernel listed.
 */
export interface AccessorRules {
  readonly name: string;
  readonly title: string;
  /** What the row describes, and how sure the reference is of it. */
  readonly source: string;
  /**
   * vhost_enable_notify stores the avail index that it reads in vq->avail_idx, so that the next
   * vhost_get_vq_desc does not read it again (reference §4.4: d3bb267bbdcb, 5.18).
   */
  readonly enableCachesIndex: boolean;
  /**
   * What vhost_enable_notify compares the index it reads with, to answer whether there is more:
   * vq->avail_idx as it was before (`cached`), or vq->last_avail_idx (`consumed`). They differ when
   * heads were discarded (reference §4.4, §4.5).
   */
  readonly enableComparesWith: 'cached' | 'consumed';
  /**
   * A put_used that fails leaves out put_used_idx. Where it does not, only the first of two does
   * (reference §4.2).
   */
  readonly failedPutSkipsIndex: boolean;
}

const KERNEL_5_3: AccessorRules = {
  name: '5.3',
  title: 'Linux 5.3 to 5.17',
  source: 'reference §4, read in 5.3 and 5.15',
  enableCachesIndex: false,
  enableComparesWith: 'cached',
  failedPutSkipsIndex: false,
};

const KERNEL_5_18: AccessorRules = {
  ...KERNEL_5_3,
  name: '5.18',
  title: 'Linux 5.18 and later, without the livelock fix of 2026',
  // §4.2 does not say what these kernels do after a failed put: taken as in 5.3, since "fail early"
  // is named for 6.1.192 and 6.12.117 only.
  source: 'd3bb267bbdcb, reference §4.4',
  enableCachesIndex: true,
  enableComparesWith: 'consumed',
};

/** The rules of the newest kernels that were read. */
export const NEWEST_RULES: AccessorRules = {
  ...KERNEL_5_18,
  name: '6.1',
  title: 'Linux 6.1.192 and 6.12.117',
  source: 'docs/kernel-rules.md §4, read in both',
  enableComparesWith: 'cached',
  failedPutSkipsIndex: true,
};

export const ACCESSOR_RULE_SETS: readonly AccessorRules[] = [KERNEL_5_3, KERNEL_5_18, NEWEST_RULES];

/** The row of that name, or undefined. */
export function findAccessorRules(name: string): AccessorRules | undefined {
  return ACCESSOR_RULE_SETS.find((rules) => rules.name === name);
}

/** vhost-net puts used heads at this many (VHOST_NET_BATCH, reference §4.6). */
export const NET_BATCH = 64;
/** handle_tx and handle_rx give way after this many packets (VHOST_NET_PKT_WEIGHT, net.c [M]). */
export const NET_PACKET_WEIGHT = 256;
/** Entries of the largest ring that VHOST_SET_VRING_NUM takes. */
export const MAX_NUM = 32_768;
/** Heads that get_rx_bufs takes for one packet at most (UIO_MAXIOV, net.c [M]). */
export const MOST_HEADS_OF_PACKET = 1024;
