import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { btfOf, KERNEL_STRUCTS, VHOST_STRUCTS } from '../../test/kernel-types-text.ts';
import { findMember, KernelTypesError, readKernelTypes } from './kernel-types.js';

const kernel = readKernelTypes(btfOf(KERNEL_STRUCTS));
const vhost = readKernelTypes(btfOf(VHOST_STRUCTS, KERNEL_STRUCTS), kernel);

it.each([
  ['vhost_virtqueue', 'last_used_idx', { offset: 308, bytes: 2 }],
  ['vhost_virtqueue', 'signalled_used_valid', { offset: 314, bytes: 1 }],
  // Of a type that the kernel describes.
  ['vhost_virtqueue', 'mutex.owner', { offset: 8, bytes: 8 }],
  ['vhost_virtqueue', 'call_ctx.ctx', { offset: 104, bytes: 8 }],
  // Within a member that has no name.
  ['mm_struct', 'owner', { offset: 920, bytes: 8 }],
  ['task_struct', 'tgid', { offset: 2420, bytes: 4 }],
  ['task_struct', 'tgi', undefined],
  ['task_struct', 'tgid.x', undefined],
  ['no_struct', 'x', undefined],
] as const)('%s.%s lies at %o', (struct, member, place) => {
  expect(findMember(vhost, struct, member)).toEqual(place);
});

it('types of the kernel alone know no module', () => {
  expect(findMember(kernel, 'vhost_dev', 'mm')).toBeUndefined();
});

it('what is cut off anywhere is refused, and nothing else is thrown', () => {
  const whole = btfOf(KERNEL_STRUCTS);
  for (let length = 0; length < whole.length; length++)
    expect(() => readKernelTypes(whole.subarray(0, length))).toThrow(KernelTypesError);
});

it('damage is refused, or no place is found', () => {
  const whole = btfOf(KERNEL_STRUCTS);
  for (let at = 0; at < whole.length; at++) {
    const damaged = Uint8Array.from(whole);
    damaged[at] = ~(damaged[at] ?? 0);
    try {
      findMember(readKernelTypes(damaged), 'mm_struct', 'notifier_subscriptions');
    } catch (error) {
      expect(error).toBeInstanceOf(KernelTypesError);
    }
  }
});

const BTF = '/sys/kernel/btf/vmlinux';

it.runIf(existsSync(BTF))('this kernel says where the process of a task is', () => {
  const types = readKernelTypes(readFileSync(BTF));
  expect(findMember(types, 'task_struct', 'tgid')?.bytes).toBe(4);
  expect(findMember(types, 'list_head', 'prev')).toEqual({ offset: 8, bytes: 8 });
});
