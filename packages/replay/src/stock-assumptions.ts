/** What an answer about a stock host takes for granted: it tells of a kernel that did not run. */
import type { Preemption, Tallies } from '@vhostscope/model';
import type { OpenTrace } from '@vhostscope/trace';
import { listVirtqueues, type VirtqueueDescription } from './recording-list.js';

/** In sentences; the most important first. */
export function stockAssumptions(
  trace: OpenTrace,
  tallies: Tallies,
  preemption: Preemption,
): string[] {
  return assumedOf(listVirtqueues(trace), tallies, preemption);
}

/** The same of virtqueues that are known. */
export function assumedOf(
  virtqueues: readonly VirtqueueDescription[],
  { derived }: Tallies,
  preemption: Preemption,
): string[] {
  const vsock = virtqueues.filter(({ id }) => (derived?.vsockRounds[id] ?? 0) > 0);
  const busy = virtqueues.filter(({ id }) => (derived?.busyRounds[id] ?? 0) > 0);
  return [
    ...notifierSentences(virtqueues, derived?.ranges),
    ...(vsock.length === 0
      ? []
      : [
          `${named(vsock)} would have been mapped as others are: the vhost-vsock of Linux 5.3 never tried, so that all of ` +
            'their accesses fell back under a design of that time',
        ]),
    ...(busy.length === 0
      ? []
      : [
          `what rounds of ${named(busy)} accessed of the other virtqueue of the device, as they poll busily, is left out ` +
            'where accesses follow from rounds: it is in no round of that one (collector attach --detail accesses tells it)',
        ]),
    'the design would have changed nothing else: the same rounds and ranges at the same times',
    "that includes ranges which the vhost worker's own copies to a ring made (copy on write, under its name): where the " +
      'design had a map it would not have copied, and they are replayed all the same',
    'when a virtqueue was first seen, its invalidate_count was 0, but for ranges over it that were under way and told; ' +
      'when it was first seen or set up anew in other memory, no other range that was under way there lowered the count later, or changed pages after 100 ms',
    'set-up ioctls succeed, a reset takes no time, and there is memory for a map',
    'pages that are present and follow each other could be read, unless a change of their protection was seen while ' +
      'the ring was there',
    'rings lie in ordinary memory (not in that of a device, which get_user_pages refuses), and no descriptor table or ' +
      'avail ring that was read is the zero page',
    'the TLB is flushed within 10 ms of the end of a range, 100 ms after the last of a fork, and the collector looks ' +
      'at pages within 100 ms',
    'where the recording looked at page tables as a round began, no other CPU faulted a page in between that look and ' +
      'the attempt to map, some microseconds later',
    'the clocks of all CPUs agree',
    ...(preemption === 'voluntary' ? ['no other MMU notifier of the process sleeps'] : []),
    `vhost-net ${busy.length === 0 ? 'does not poll busily, ' : ''}sends no packet without copying it, and no copy to or from a ring fails`,
  ];
}

/** Where no notifier listens, no range is told. */
function notifierSentences(
  virtqueues: readonly VirtqueueDescription[],
  ranges: Float64Array | undefined,
): string[] {
  const unseen = virtqueues.filter(({ notified }) => notified === false);
  const others = virtqueues.filter(({ notified }) => notified !== false);
  const quiet = others.filter(({ id }) => (ranges?.[id] ?? 0) === 0);
  return [
    ...(unseen.length === 0
      ? []
      : [
          `there was no range over the rings of ${named(unseen)}: their process had no MMU notifier (no KVM VM) when that ` +
            'was last looked at, so that its ranges were invisible; hits are what they would be without any',
        ]),
    ...(quiet.length === 0
      ? []
      : [
          `no range came near the rings of ${named(quiet)}: none was seen there, as is the case where the process has ` +
            'no MMU notifier (no KVM VM) and its ranges are invisible; hits are what they would be without any',
        ]),
    ...(others.length === 0
      ? []
      : [
          `the process of every ${unseen.length === 0 ? '' : 'other '}ring had an MMU notifier all the time: while it ` +
            'has none, its ranges are invisible',
        ]),
  ];
}

function named(virtqueues: readonly VirtqueueDescription[]): string {
  return virtqueues.map(({ id }) => `vq ${id}`).join(', ');
}
