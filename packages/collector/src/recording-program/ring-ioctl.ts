/**
 * Which virtqueue an ioctl sets up: its argument, in the memory of the caller, begins with the number. A probe
 * reads nothing there while the page is not present, and gets 0, which is a number too. So another field of the
 * argument is looked at that is never 0 in a request that the kernel grants; if that is 0 as well, nothing is
 * known until the ioctl returns, when the kernel has read the argument itself.
 */
import { when, type Statement } from './program-text.js';

/** Ioctl numbers (include/uapi/linux/vhost.h); the direct-map design lets go of its maps at these two. */
export const VHOST_SET_VRING_NUM = 0x4008_af10;
export const VHOST_SET_VRING_ADDR = 0x4028_af11;

/** Holds of an ioctl that sets a ring up. */
export const SETS_UP_RING = `arg1 == ${VHOST_SET_VRING_NUM} || arg1 == ${VHOST_SET_VRING_ADDR}`;

/** Takes the virtqueue of `$dev` into `$address`, at the beginning of the ioctl; 0 when it is not known. */
export function takeNamed(): Statement[] {
  return [
    ...takePlace('arg2'),
    // What struct vhost_vring_addr has before desc_user_addr is two numbers; struct vhost_vring_state is two.
    `if (arg1 == ${VHOST_SET_VRING_NUM}) {`,
    ['$sign = (uint64)*(uint32 *)uptr(arg2 + 4);'],
    '} else {',
    ['$sign = *(uint64 *)uptr(arg2 + 8);'],
    '}',
    ...when('$place != 0 || $sign != 0', takePlaced()),
  ];
}

/** The same at its end, from where the argument lies. */
export function takeNamedAt(argument: string): Statement[] {
  return [...takePlace(argument), ...takePlaced()];
}

function takePlace(argument: string): Statement[] {
  return ['$address = (uint64)0;', `$place = (uint64)*(uint32 *)uptr(${argument});`];
}

function takePlaced(): Statement[] {
  return when('$place < (uint64)$dev->nvqs', [
    '$address = (uint64)*(uint64 *)((uint64)$dev->vqs + 8 * $place);',
  ]);
}
