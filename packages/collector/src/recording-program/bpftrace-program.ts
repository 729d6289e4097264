/** The program that bpftrace runs on the host: probes that print lines of the dialect `# vhostscope 1`. */
import { ACCESSORS, ATTACH_HEADER, HANDLERS, type Accessor } from '@vhostscope/model';
import type { ProbePlan } from '../probe-plan/probe-plan.js';
import { emitted, LINE_CLASSES } from './emitted-lines.js';
import { eventPrintf, NOT_KNOWN } from './event-printf.js';
import { blockText, when, type ProbeBlock, type Statement } from './program-text.js';
import {
  countChain,
  forEachVirtqueue,
  packRing,
  takeVirtqueue,
  tellVirtqueue,
} from './virtqueue-state.js';

/** Between two heartbeats of a CPU. */
export const HEARTBEAT_MS = 100;

/** The text of the program. Pure: the same plan gives the same text. */
export function bpftraceProgram(plan: ProbePlan): string {
  const blocks = [
    begin(),
    ...roundBlocks(plan),
    ...setUpBlocks(plan),
    ...lifeBlocks(plan),
    ...rangeBlocks(plan),
    heartbeat(),
  ];
  const text = blocks.map(blockText).join('\n\n');
  return `${text}\n\n${blockText(end(text))}\n`;
}

/** Counts that heartbeats tell, also where no probe adds to them. */
const COUNTS = [...LINE_CLASSES.map(({ name }) => name), 'foreign', 'elsewhere'];

function begin(): ProbeBlock {
  return {
    comment: [],
    points: ['BEGIN'],
    body: [`printf("${ATTACH_HEADER}\\n");`, ...COUNTS.map((name) => `@${name}[cpu] = 0;`)],
  };
}

function roundBlocks({ round, handlers }: ProbePlan): ProbeBlock[] {
  return [
    {
      comment: [
        'A round begins: the ring as it is, and the first chain that waits.',
        'A virtqueue that was there before us is told of when it is first seen.',
      ],
      points: [`kprobe:${round}`],
      body: [
        ...takeVirtqueue('arg0'),
        ...when('@told[$address] == 0', tellVirtqueue()),
        ...packRing(),
        ...countChain(),
        '@before[$address] = $ring;',
        '@chain[$address] = $chain;',
        '@active[tid] = $address;',
        ...emitted('rounds', [eventPrintf('round', { vq: '$address' })]),
      ],
    },
    ...handlers.map(({ name, handler }): ProbeBlock => ({
      comment: ['The handler returns: the ring as it left it.'],
      points: [`kretprobe:${name}`],
      predicate: '@active[tid] != 0',
      body: [
        ...takeVirtqueue('@active[tid]'),
        ...packRing(),
        ...emitted('rounds', [
          eventPrintf('round_end', {
            vq: '$address',
            handler: String(HANDLERS.indexOf(handler)),
            num: '$vq->num',
            chain: '@chain[$address]',
            ringBefore: '@before[$address]',
            ringAfter: '$ring',
          }),
        ]),
        'delete(@active[tid]);',
      ],
    })),
  ];
}

/** Ioctl numbers (include/uapi/linux/vhost.h); the direct-map design lets go of its maps at these two. */
const VHOST_SET_VRING_NUM = 0x4008_af10;
const VHOST_SET_VRING_ADDR = 0x4028_af11;

function setUpBlocks({ ringIoctl }: ProbePlan): ProbeBlock[] {
  if (ringIoctl === undefined) return [];
  return [
    {
      comment: [
        'A ring is set up: here the direct-map design unregisters its notifier and drops its maps.',
      ],
      points: [`kprobe:${ringIoctl}`],
      predicate: `arg1 == ${VHOST_SET_VRING_NUM} || arg1 == ${VHOST_SET_VRING_ADDR}`,
      body: [
        '$dev = (struct vhost_dev *)arg0;',
        // The ioctl's argument begins with the number of the virtqueue.
        '$place = (uint64)*(uint32 *)uptr(arg2);',
        ...when('$place < (uint64)$dev->nvqs', [
          '$address = *(uint64 *)((uint64)$dev->vqs + 8 * $place);',
          '@setup_vq[tid] = $address;',
          '@setup_dev[tid] = (uint64)arg0;',
          ...emitted('state', [
            eventPrintf('notifier', { dev: 'arg0', registered: '0', error: '0' }),
            eventPrintf('unmap', { vq: '$address', mask: NOT_KNOWN, invalidateCount: NOT_KNOWN }),
          ]),
        ]),
      ],
    },
    {
      comment: ['It is set up, or it failed: the ring as it is, and the notifier is back.'],
      points: [`kretprobe:${ringIoctl}`],
      predicate: '@setup_vq[tid] != 0',
      body: [
        ...takeVirtqueue('@setup_vq[tid]'),
        ...tellVirtqueue(),
        ...emitted('state', [
          eventPrintf('notifier', { dev: '@setup_dev[tid]', registered: '1', error: '0' }),
        ]),
        'delete(@setup_vq[tid]);',
        'delete(@setup_dev[tid]);',
      ],
    },
  ];
}

function lifeBlocks({ setOwner, cleanup, initIotlb, initAccess }: ProbePlan): ProbeBlock[] {
  const blocks: ProbeBlock[] = [];
  if (setOwner !== undefined)
    blocks.push(
      {
        comment: ['A process takes a device: here the direct-map design registers its notifier.'],
        points: [`kprobe:${setOwner}`],
        body: ['@owned[tid] = (uint64)arg0;'],
      },
      {
        comment: [],
        points: [`kretprobe:${setOwner}`],
        predicate: '@owned[tid] != 0',
        body: [
          ...when(
            'retval == 0',
            emitted('state', [
              eventPrintf('notifier', { dev: '@owned[tid]', registered: '1', error: '0' }),
            ]),
          ),
          'delete(@owned[tid]);',
        ],
      },
    );
  if (cleanup !== undefined)
    blocks.push({
      comment: ['A device is given up: maps, sizes and counts go, then the notifier.'],
      points: [`kprobe:${cleanup}`],
      body: [
        '$dev = (struct vhost_dev *)arg0;',
        ...forEachVirtqueue([
          ...emitted('state', [
            eventPrintf('unmap', { vq: '$address', mask: NOT_KNOWN, invalidateCount: NOT_KNOWN }),
            eventPrintf('reset', { vq: '$address' }),
          ]),
          'delete(@told[$address]);',
        ]),
        ...emitted('state', [
          eventPrintf('notifier', { dev: 'arg0', registered: '0', error: '0' }),
        ]),
      ],
    });
  if (initIotlb !== undefined)
    blocks.push({
      comment: ['The device IOTLB is switched on: no accessor uses a map from now on.'],
      points: [`kprobe:${initIotlb}`],
      body: [
        '$dev = (struct vhost_dev *)arg0;',
        ...forEachVirtqueue(
          emitted('state', [eventPrintf('iotlb', { vq: '$address', enabled: '1' })]),
        ),
      ],
    });
  if (initAccess !== undefined)
    blocks.push({
      comment: ['A backend is attached: two accesses, outside of any round (reference §4.5).'],
      points: [`kprobe:${initAccess}`],
      body: [...takeVirtqueue('arg0'), ...when('(uint64)$vq->private_data != 0', accessLines())],
    });
  return blocks;
}

/** put_used_flags, then get_used_idx. */
function accessLines(): Statement[] {
  const access = (accessor: Accessor): string =>
    eventPrintf('access', {
      vq: '$address',
      accessor: String(ACCESSORS.indexOf(accessor)),
      observed: NOT_KNOWN,
      entries: '1',
    });
  return emitted('accesses', [access('put_used_flags'), access('get_used_idx')]);
}

function rangeBlocks({ coreRanges }: ProbePlan): ProbeBlock[] {
  if (coreRanges === undefined) return [];
  const columns = {
    owner: '$owner',
    start: '(uint64)$range->start',
    end: '(uint64)$range->end',
    cause: '(uint64)$range->event',
    // MMU_NOTIFIER_RANGE_BLOCKABLE is bit 0.
    blockable: '(uint64)$range->flags & 1',
    pid: 'pid',
    comm: 'buf(comm, 16)',
  };
  const range = [
    '$range = (struct mmu_notifier_range *)arg0;',
    '$mm = (uint64)$range->mm;',
    '$owner = @owner[$mm];',
  ];
  // As the design tests it: the end of a range counts as in it.
  const touchesRings =
    '$owner != 0 && (uint64)$range->start <= @high[$mm] && (uint64)$range->end >= @low[$mm]';
  return [
    {
      comment: [
        'The memory manager calls the notifiers of an address space: only of those that own a device,',
        'and only ranges that may touch a ring; the others are counted.',
      ],
      points: [`kprobe:${coreRanges.start}`],
      body: [
        ...range,
        `if (${touchesRings}) {`,
        ['@under_way[tid]++;', ...emitted('ranges', [eventPrintf('core_range_start', columns)])],
        '} else {',
        [
          ...when('$owner != 0', ['@elsewhere[cpu]++;']),
          ...when('$owner == 0', ['@foreign[cpu]++;']),
        ],
        '}',
      ],
    },
    {
      comment: ['The end of a range whose start was told.'],
      points: [`kprobe:${coreRanges.end}`],
      predicate: '@under_way[tid] > 0',
      body: [
        ...range,
        ...when(touchesRings, [
          ...emitted('ranges', [eventPrintf('core_range_end', columns)]),
          '@under_way[tid]--;',
          ...when('@under_way[tid] == 0', ['delete(@under_way[tid]);']),
        ]),
      ],
    },
  ];
}

function heartbeat(): ProbeBlock {
  const columns = Object.fromEntries(
    LINE_CLASSES.map(({ name, field }) => [field, `@${name}[cpu]`]),
  );
  return {
    comment: ['How many lines this CPU has emitted: what has not arrived by then is lost.'],
    points: [`profile:ms:${HEARTBEAT_MS}`],
    body: [
      eventPrintf('heartbeat', {
        ...columns,
        filteredForeign: '@foreign[cpu]',
        filteredElsewhere: '@elsewhere[cpu]',
      }),
    ],
  };
}

/** bpftrace prints what maps hold when it ends, and nobody wants that. */
function end(text: string): ProbeBlock {
  const maps = new Set(text.match(/@\w+(?=\[)/g));
  return {
    comment: [],
    points: ['END'],
    body: [...maps].toSorted().map((map) => `clear(${map});`),
  };
}
