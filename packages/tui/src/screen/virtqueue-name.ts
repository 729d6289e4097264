/** Names of virtqueues and of who makes things, for people. */
import type { VirtqueueView } from '../dashboard.js';
import { safeName, type Look } from './look.js';

/** "vq 3 dev 0/1 tx": with its place in its device, and whether it transmits; shorter where it must be. */
export function virtqueueName(
  { vq, dev, index, transmits }: VirtqueueView,
  width: number = Number.POSITIVE_INFINITY,
): string {
  const place = dev === undefined ? '' : ` dev ${dev}${index === undefined ? '' : `/${index}`}`;
  const whole = `vq ${vq}${place}${transmits ? ' tx' : ''}`;
  return whole.length <= width ? whole : `vq ${vq}${transmits ? ' tx' : ''}`;
}

/** "ksmd (68)", safe to print; "pid 68" where no name is known */
export function processName(
  { pid, comm }: { readonly pid: number; readonly comm: string },
  look: Look,
): string {
  return comm === '' ? `pid ${pid}` : `${safeName(comm, look)} (${pid})`;
}

/** The class of the kernel stack where one was recorded, else the cause that the kernel named. */
export function causeName(
  { cause, className }: { readonly cause: string; readonly className: string | undefined },
  look: Look,
): string {
  return safeName(className ?? cause, look);
}
