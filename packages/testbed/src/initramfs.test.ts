import { expect, test } from 'vitest';
import { loadOrder } from './initramfs.js';

// As depmod writes it: what a module needs stands whole behind it, the deepest last.
const DEPENDENCIES = `kernel/fs/9p/9p.ko: kernel/net/9p/9pnet.ko kernel/fs/fscache.ko kernel/fs/netfs.ko
kernel/fs/fscache.ko: kernel/fs/netfs.ko
kernel/fs/netfs.ko:
kernel/net/9p/9pnet.ko:
kernel/drivers/virtio/virtio-ring.ko.xz:
kernel/net/9p/9pnet_virtio.ko: kernel/net/9p/9pnet.ko kernel/drivers/virtio/virtio-ring.ko.xz
`;
const BUILTIN = 'kernel/drivers/virtio/virtio_pci.ko\n';

test('what a module needs is loaded before it, and once', () => {
  expect(loadOrder(['9pnet_virtio', '9p'], DEPENDENCIES, BUILTIN)).toEqual([
    'kernel/drivers/virtio/virtio-ring.ko.xz',
    'kernel/net/9p/9pnet.ko',
    'kernel/net/9p/9pnet_virtio.ko',
    'kernel/fs/netfs.ko',
    'kernel/fs/fscache.ko',
    'kernel/fs/9p/9p.ko',
  ]);
});

test('hyphens, underscores and compression make no other module', () => {
  expect(loadOrder(['virtio_ring'], DEPENDENCIES, BUILTIN)).toHaveLength(1);
});

test('what is built into the kernel is not loaded, and what is nowhere is an error', () => {
  expect(loadOrder(['virtio_pci'], DEPENDENCIES, BUILTIN)).toEqual([]);
  expect(() => loadOrder(['overlay'], DEPENDENCIES, BUILTIN)).toThrow('no module overlay');
});
