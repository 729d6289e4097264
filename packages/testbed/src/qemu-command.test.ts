import { expect, test } from 'vitest';
import { qemuCommand, type Machine } from './qemu-command.js';

const MACHINE: Machine = {
  cpus: 1,
  memoryMiB: 2048,
  preempt: 'voluntary',
  time: 'real',
  kernelImage: '/cache/vmlinuz',
  initramfs: '/folder/initramfs',
  shares: {
    root: { path: '/', access: 'read-only' },
    exchange: { path: '/tmp/a,b', access: 'read-write' },
  },
};

function after(words: readonly string[], option: string): string[] {
  return words.flatMap((word, at) => (words[at - 1] === option ? [word] : []));
}

test('QEMU dies with its parent, yields to others, and needs no hardware virtualisation', () => {
  const words = qemuCommand(MACHINE);
  expect(words.slice(0, 8)).toEqual(
    'setpriv --pdeathsig KILL -- nice -n 10 qemu-system-x86_64'.split(' '),
  );
  expect(after(words, '-accel')).toEqual(['tcg,thread=multi']);
  expect(words).not.toContain('-enable-kvm');
});

test('two CPUs are two nodes that share the memory', () => {
  expect(after(qemuCommand(MACHINE), '-numa')).toEqual([]);
  const words = qemuCommand({ ...MACHINE, cpus: 2 });
  expect(after(words, '-smp')).toEqual(['2']);
  expect(after(words, '-numa')).toEqual([
    'node,nodeid=0,cpus=0,memdev=node0',
    'node,nodeid=1,cpus=1,memdev=node1',
  ]);
  expect(after(words, '-object')).toEqual([
    'memory-backend-ram,id=node0,size=1024M',
    'memory-backend-ram,id=node1,size=1024M',
  ]);
});

test('time is that of this machine, or counted in instructions', () => {
  expect(after(qemuCommand(MACHINE), '-icount')).toEqual([]);
  const words = qemuCommand({ ...MACHINE, time: 'instructions' });
  expect(after(words, '-accel')).toEqual(['tcg,thread=single']);
  expect(after(words, '-icount')).toEqual(['shift=0']);
});

test('this machine’s root can be read only, and a comma in a path is no option', () => {
  const [root, exchange] = after(qemuCommand(MACHINE), '-virtfs');
  expect(root).toMatch(/^local,mount_tag=root,path=\/,.*,readonly=on$/);
  expect(exchange).toContain('path=/tmp/a,,b,');
  expect(exchange).not.toContain('readonly');
});

test('the kernel is told how to preempt itself', () => {
  expect(after(qemuCommand(MACHINE), '-append')[0]).toContain('preempt=voluntary');
  expect(after(qemuCommand({ ...MACHINE, preempt: 'full' }), '-append')[0]).toContain(
    'preempt=full',
  );
});
