/** `dpdk`: DPDK's testpmd on virtio-user, vhost-net and a TAP device, the upstream measurement. */
import { fileURLToPath } from 'node:url';
import { shellQuoted, type Host } from '../boot-host.js';
import { compile } from '../compile.js';
import { hostError } from '../host-error.js';
import { prepareGuest } from './prepare-guest.js';
import { startWhenTold, type RunningScenario } from './running-scenario.js';

/** Beside what every test host needs. The drivers are plugins: nothing depends on them. */
export const DPDK_PACKAGES = ['dpdk-dev', 'librte-net-virtio23', 'librte-mempool-ring23'];

export interface DpdkOptions {
  /** txonly: testpmd sends; rxonly: the kernel's packet generator sends to it. Default txonly. */
  readonly mode?: 'txonly' | 'rxonly';
  /** Default 5. */
  readonly seconds?: number;
  /** Ring entries. Default 256. */
  readonly num?: number;
  /** Whether the address space has a KVM VM, whose MMU notifier watches it. */
  readonly kvmVm?: boolean;
}

export interface DpdkResult {
  readonly mode: 'txonly' | 'rxonly';
  readonly seconds: number;
  /** Packets that testpmd got rid of, that it received, and that found no room in the tx ring. */
  readonly sent: number;
  readonly received: number;
  readonly dropped: number;
  readonly packets_per_second: number;
}

const GUEST = fileURLToPath(new URL('../../guest/', import.meta.url));

/**
 * Sets testpmd up in a host that was booted with `DPDK_PACKAGES`.
 *
 * @throws {ProgramError} when the host cannot
 */
export async function startDpdk(
  host: Host,
  options: DpdkOptions = {},
): Promise<RunningScenario<DpdkResult>> {
  const { mode = 'txonly', seconds = 5, num = 256, kvmVm = false } = options;
  await prepareGuest(host, { modules: ['vhost_net', 'tun', ...(kvmVm ? ['kvm_amd'] : [])] });
  const library = kvmVm ? await compile('kvm-vm.so', `${GUEST}kvm-vm`, host.cache, 'library') : '';
  return startWhenTold(
    host,
    'dpdk: ready',
    (goFile) =>
      ['sh', `${GUEST}dpdk.sh`, mode, String(seconds), String(num), goFile, library]
        .map(shellQuoted)
        .join(' '),
    ({ stdout }) => readDpdkResult(stdout, mode, seconds),
  );
}

/**
 * Reads what testpmd says at its end.
 *
 * @throws {ProgramError} when it says nothing of packets
 */
export function readDpdkResult(
  text: string,
  mode: 'txonly' | 'rxonly',
  seconds: number,
): DpdkResult {
  const [, all = ''] = text.split('Accumulated forward statistics for all ports');
  const received = /RX-packets: (\d+)/.exec(all)?.[1];
  const [, sent, dropped] = /TX-packets: (\d+)\s+TX-dropped: (\d+)/.exec(all) ?? [];
  if (received === undefined || sent === undefined || dropped === undefined)
    throw hostError(`testpmd printed no statistics: ${text.trim().slice(-300)}`);
  const packets = Number(mode === 'txonly' ? sent : received);
  return {
    mode,
    seconds,
    sent: Number(sent),
    received: Number(received),
    dropped: Number(dropped),
    packets_per_second: Math.round(packets / seconds),
  };
}
