import { expect, it } from 'vitest';
import { kcoreOf } from '../../test/kernel-code-file.ts';
import { findTransfers, readKernelCode } from './kernel-code.js';
import { findSymbols } from './kernel-symbols.js';

const AT = 0xffff_ffff_c000_1000n;

it('code is read from the segment that holds it', () => {
  const code = Uint8Array.from({ length: 64 }, (_, at) => at);
  const readBytes = kcoreOf([
    { address: 0xffff_8880_0000_0000n, bytes: new Uint8Array(16) },
    { address: AT, bytes: code },
  ]);
  expect(readKernelCode({ readBytes }, AT + 8n, 4)).toEqual(Uint8Array.from([8, 9, 10, 11]));
  // Not to its end, and not at all.
  expect(readKernelCode({ readBytes }, AT + 62n, 4)).toBeUndefined();
  expect(readKernelCode({ readBytes }, 0x1000n, 4)).toBeUndefined();
  expect(readKernelCode({ readBytes: () => undefined }, AT, 4)).toBeUndefined();
  expect(readKernelCode({ readBytes: () => new Uint8Array(64) }, AT, 4)).toBeUndefined();
});

it('a call and a jump to a function are found, and no others', () => {
  const target = AT - 0x100_0000n;
  const code = new Uint8Array(40).fill(0x90);
  const view = new DataView(code.buffer);
  const put = (at: number, opcode: number, to: bigint): void => {
    code[at] = opcode;
    view.setInt32(at + 1, Number(to - (AT + BigInt(at) + 5n)), true);
  };
  put(3, 0xe8, target);
  put(10, 0xe8, target + 1n);
  put(20, 0xe9, target);
  // Somebody probes it.
  put(28, 0xcc, target);
  // Cut off.
  code[37] = 0xe8;
  expect(findTransfers(code, AT, target)).toEqual([3, 20, 28]);
});

it('functions are told apart by their modules, and end where the next symbol is', () => {
  const text = [
    'ffffffff81000000 T mutex_unlock',
    'ffffffff81000040 t mutex_unlock.cold',
    'ffffffffc0002000 t handle_rx\t[vhost_net]',
    'ffffffffc0001000 t handle_tx\t[vhost_net]',
    'ffffffffc0000800 t handle_tx\t[other_net]',
    'ffffffffc0001230 t vhost_net_open\t[vhost_net]',
    'ffffffffc0009000 t twice\t[vhost]',
    'ffffffffc0009100 t twice\t[vhost]',
    '0000000000000000 t hidden\t[vhost]',
    '',
  ].join('\n');
  const wanted = [
    { name: 'mutex_unlock', module: undefined },
    { name: 'handle_tx', module: 'vhost_net' },
    { name: 'handle_rx', module: 'vhost_net' },
    { name: 'twice', module: 'vhost' },
    { name: 'hidden', module: 'vhost' },
  ];
  expect(findSymbols(text, wanted)).toEqual([
    { name: 'mutex_unlock', module: undefined, address: 0xffff_ffff_8100_0000n, bytes: 0x40 },
    { name: 'handle_tx', module: 'vhost_net', address: 0xffff_ffff_c000_1000n, bytes: 0x230 },
    { name: 'handle_rx', module: 'vhost_net', address: 0xffff_ffff_c000_2000n, bytes: 0x7000 },
  ]);
});
