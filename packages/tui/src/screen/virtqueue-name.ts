/** Names of virtqueues and of who makes things, for people. */
import type { VirtqueueView } from '../dashboard.js';
import { safeName, type Look } from './look.js';

/** "vq 3", with where it is in its device and whether it transmits: "vq 3 dev 0/1 tx" */
export function virtqueueName({ vq, dev, index, transmits }: VirtqueueView): string {
  const place = dev === undefined ? '' : ` dev ${dev}${index === undefined ? '' : `/${index}`}`;
  return `vq ${vq}${place}${transmits ? ' tx' : ''}`;
}

/** "ksmd (68)", safe to print */
export function processName(
  { pid, comm }: { readonly pid: number; readonly comm: string },
  look: Look,
): string {
  return `${safeName(comm, look)} (${pid})`;
}

/** The class of the kernel stack where one was recorded, else the cause that the kernel named. */
export function causeName(
  { cause, className }: { readonly cause: string; readonly className: string | undefined },
  look: Look,
): string {
  return safeName(className ?? cause, look);
}
