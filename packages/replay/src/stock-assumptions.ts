/** What an answer about a stock host takes for granted: it tells of a kernel that did not run. */
import type { Preemption, Tallies } from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { listVirtqueues } from './recording-list.js';

/** Virtqueues of whose owners no invalidation was seen: there may have been some. */
export function virtqueuesUnwatched(trace: OpenTrace, { derived }: Tallies): number[] {
  if (derived === undefined) return [];
  return listVirtqueues(trace)
    .map(({ id }) => id)
    .filter((id) => (derived.ranges[id] ?? 0) === 0);
}

/** In sentences; the most important first. */
export function stockAssumptions(
  trace: OpenTrace,
  tallies: Tallies,
  preemption: Preemption,
): string[] {
  const unwatched = virtqueuesUnwatched(trace, tallies);
  const names = unwatched.map((id) => `vq ${id}`).join(', ');
  return [
    ...(unwatched.length === 0
      ? []
      : [
          `no range came near the rings of ${names}: none was seen there, as is the case where the process has ` +
            'no MMU notifier (no KVM VM) and its ranges are invisible; hits are what they would be without any',
        ]),
    'the design would have changed nothing else: the same rounds and ranges at the same times',
    'when a virtqueue was first seen, its invalidate_count was 0 and no range was under way over it',
    'set-up ioctls succeed, a reset takes no time, and there is memory for a map',
    'pages that are present and follow each other could be read, unless a change of their protection was seen',
    'the TLB is flushed within 10 ms of the end of a range, 100 ms after the last of a fork, and the collector looks ' +
      'at pages within 100 ms',
    ...(preemption === 'voluntary' ? ['no other MMU notifier of the process sleeps'] : []),
    'vhost-net does not poll busily, sends no packet without copying it, and no copy to or from a ring fails',
  ];
}
