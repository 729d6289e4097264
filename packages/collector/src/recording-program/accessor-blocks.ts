/** Probes of the accessors themselves, where each is a function: every access, and what becomes of it. */
import { ACCESSORS, AREA_OF_ACCESSOR, type Accessor } from '@vhostscope/model';
import { hasMap } from './direct-map-state.js';
import { emitted } from './emitted-lines.js';
import { eventPrintf } from './event-printf.js';
import { when, type ProbeBlock } from './program-text.js';
import { takeVirtqueue } from './virtqueue-state.js';

/** As the accessor decides it a moment later (reference §1.2). */
const FALLBACK = 0;
const DIRECT_MAP = 1;
const IOTLB = 2;

export function accessorBlocks(
  accessors: Readonly<Record<Accessor, string>> | undefined,
): ProbeBlock[] {
  if (accessors === undefined) return [];
  return Object.entries(accessors).map(([accessor, name]) => {
    const number = ACCESSORS.indexOf(accessor as Accessor);
    return {
      comment: [],
      points: [`kprobe:${name}`],
      body: [
        ...takeVirtqueue('arg0'),
        `$observed = (uint64)${FALLBACK};`,
        ...when(hasMap(AREA_OF_ACCESSOR[number] ?? 0), [`$observed = (uint64)${DIRECT_MAP};`]),
        ...when('(uint64)$vq->iotlb != 0', [`$observed = (uint64)${IOTLB};`]),
        ...emitted('accesses', [
          eventPrintf('access', {
            vq: '$address',
            accessor: String(number),
            observed: '$observed',
            // vhost_put_used(vq, head, idx, count)
            entries: accessor === 'put_used' ? '(uint64)arg3 & 0xffffffff' : '1',
          }),
        ]),
      ],
    };
  });
}
