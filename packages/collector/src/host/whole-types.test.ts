import { expect, it } from 'vitest';
import { btfOf, KERNEL_STRUCTS, VHOST_STRUCTS } from '../../test/kernel-types-text.ts';
import { findMember, KernelTypesError, readKernelTypes } from './kernel-types.js';
import { wholeTypes } from './whole-types.js';

const kernel = btfOf(KERNEL_STRUCTS);
const vhost = btfOf(VHOST_STRUCTS, KERNEL_STRUCTS);

it('all that both tell apart is told as one', () => {
  const apart = readKernelTypes(vhost, readKernelTypes(kernel));
  const whole = readKernelTypes(wholeTypes(kernel, vhost));
  for (const structs of [KERNEL_STRUCTS, VHOST_STRUCTS])
    for (const [struct, members] of Object.entries(structs))
      for (const { name } of members)
        expect(findMember(whole, struct, name), `${struct}.${name}`).toEqual(
          findMember(apart, struct, name),
        );
  expect(findMember(whole, 'vhost_virtqueue', 'mutex.owner')).toEqual({ offset: 8, bytes: 8 });
});

it('what is cut off is refused', () => {
  for (let length = 0; length < vhost.length; length++)
    expect(() => wholeTypes(kernel, vhost.subarray(0, length))).toThrow(KernelTypesError);
});
