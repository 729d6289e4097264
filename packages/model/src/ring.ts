/** The geometry of a split virtqueue, and who touches which part of it (reference §1.1, §1.2). */

/** Areas of a ring in the order in which the kernel numbers and walks them (enum vhost_uaddr_type). */
export const AREAS = ['desc', 'avail', 'used'] as const;
export type Area = (typeof AREAS)[number];
export const AREA_COUNT = 3;
export const DESC = 0;
export const AVAIL = 1;
export const USED = 2;

/** Metadata accessors by number; 0 is none, so that an index is the number in a trace. */
export const ACCESSORS = [
  'none',
  'get_avail_idx',
  'get_avail_head',
  'get_avail_flags',
  'get_used_event',
  'get_used_idx',
  'get_desc',
  'put_avail_event',
  'put_used',
  'put_used_flags',
  'put_used_idx',
] as const;
export type Accessor = Exclude<(typeof ACCESSORS)[number], 'none'>;

/**
 * Area that an accessor touches, by accessor number (reference §1.2). The used_event word lives in
 * the avail ring and the avail_event word in the used ring.
 */
export const AREA_OF_ACCESSOR: Uint8Array = Uint8Array.of(
  0,
  AVAIL,
  AVAIL,
  AVAIL,
  AVAIL,
  USED,
  DESC,
  USED,
  USED,
  USED,
  USED,
);

/** Accessor numbers, rounded up to a power of two: columns by virtqueue and accessor have such rows. */
export const ACCESSOR_SPAN = 16;

/** Accessor numbers of each area. */
export const ACCESSORS_OF_AREA: readonly Uint8Array[] = AREAS.map((_, area) =>
  Uint8Array.from(
    [...ACCESSORS.keys()].filter((accessor) => accessor > 0 && AREA_OF_ACCESSOR[accessor] === area),
  ),
);

/**
 * By accessor: 1 where only the holder of a round makes it. Descriptors and heads are read in
 * vhost_get_vq_desc alone, which handlers call with vq->mutex held since vq_meta_prefetch (§4.1, §4.6, §5.1);
 * the others are made by who polls busily, attaches a backend or flushes zero copies as well.
 */
export const ONLY_IN_ROUND: Uint8Array = Uint8Array.from(ACCESSORS, (accessor) =>
  accessor === 'get_desc' || accessor === 'get_avail_head' ? 1 : 0,
);

/** x86-64, and the page size every published number was measured with. */
export const PAGE_BYTES = 4096;

/**
 * Bytes of an area, as the driver computes them when SET_VRING_NUM or SET_VRING_ADDR runs.
 *
 * @param num entries of the ring
 * @param eventIdx VIRTIO_RING_F_EVENT_IDX acked at that moment; a later SET_FEATURES changes nothing
 */
export function areaBytes(area: Area, num: number, eventIdx: boolean): number {
  const event = eventIdx ? 2 : 0;
  switch (area) {
    case 'desc':
      return 16 * num;
    case 'avail':
      return 4 + 2 * num + event;
    case 'used':
      return 4 + 8 * num + event;
  }
}

/**
 * Pages that the driver asks get_user_pages for: DIV_ROUND_UP(size, PAGE_SIZE). It ignores the offset
 * of the area in its first page, in every version (reference §3.1 [D]), so this is not the true span.
 */
export function pagesWanted(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES);
}
