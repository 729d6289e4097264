/** What a host that is recorded with perf has beside what `DEBIAN_12` has: descriptions of structs, and code. */
import { kcoreBytes } from './kernel-code-file.ts';
import { btfOf, KERNEL_STRUCTS, VHOST_STRUCTS } from './kernel-types-text.ts';
import { DEBIAN_12, type HostFiles } from './pretended-host.ts';

const UNLOCK = 0xffff_ffff_81a0_0000n;

/** Functions that let go of a mutex, and where they do. */
const HOLDERS = [
  { name: 'handle_rx', module: 'vhost_net', at: 0xffff_ffff_c042_1000n, calls: [0x122] },
  { name: 'handle_tx', module: 'vhost_net', at: 0xffff_ffff_c042_2000n, calls: [0x4a, 0xb7] },
  { name: 'vhost_vring_ioctl', module: 'vhost', at: 0xffff_ffff_c040_1000n, calls: [0x291] },
];
const FUNCTION_BYTES = 0x400;

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

function codeOf(at: bigint, calls: readonly number[]): Uint8Array {
  const code = Buffer.alloc(FUNCTION_BYTES, 0x90);
  for (const call of calls) {
    code[call] = 0xe8;
    code.writeInt32LE(Number(UNLOCK - (at + BigInt(call) + 5n)), call + 1);
  }
  return code;
}

export const PERF_HOST: HostFiles = {
  '/sys/kernel/btf/vmlinux': latin1(btfOf(KERNEL_STRUCTS)),
  '/sys/kernel/btf/vhost': latin1(btfOf(VHOST_STRUCTS, KERNEL_STRUCTS)),
  '/proc/kallsyms': [
    DEBIAN_12['/proc/kallsyms']?.trim() ?? '',
    `${UNLOCK.toString(16)} T mutex_unlock`,
    ...HOLDERS.flatMap(({ name, module, at }) => [
      `${at.toString(16)} t ${name}\t[${module}]`,
      `${(at + BigInt(FUNCTION_BYTES)).toString(16)} t after_${name}\t[${module}]`,
    ]),
    '',
  ].join('\n'),
  '/proc/kcore': latin1(
    kcoreBytes(HOLDERS.map(({ at, calls }) => ({ address: at, bytes: codeOf(at, calls) }))),
  ),
};
