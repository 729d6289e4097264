/** Where vhost's functions let go of the mutex of a virtqueue, found in their code. */
import { findTransfers, readKernelCode } from '../host/kernel-code.js';
import { findSymbols, type WantedSymbol } from '../host/kernel-symbols.js';
import type { HostSources } from '../host/host-sources.js';
import type { PerfEvent, UnlockSite } from './probe-definitions.js';

const UNLOCK: WantedSymbol = { name: 'mutex_unlock', module: undefined };

/** Functions that work on a virtqueue with its mutex held, and what is told where they let go of it. */
const HOLDERS: readonly (WantedSymbol & { readonly event: PerfEvent })[] = [
  { name: 'handle_rx', module: 'vhost_net', event: 'net_rx_end' },
  { name: 'handle_tx', module: 'vhost_net', event: 'net_tx_end' },
  { name: 'vhost_transport_do_send_pkt', module: 'vhost_vsock', event: 'vsock_end' },
  { name: 'vhost_vsock_handle_tx_kick', module: 'vhost_vsock', event: 'vsock_end' },
  { name: 'vhost_vring_ioctl', module: 'vhost', event: 'set_up_state' },
];

/** @returns the reason, to end a sentence with, where the code cannot be looked through */
export function findUnlockSites(
  sources: Pick<HostSources, 'readBytes' | 'readText' | 'architecture'>,
): readonly UnlockSite[] | string {
  const { architecture } = sources;
  if (architecture !== 'x86_64') return `code of ${architecture} is not looked through`;
  const symbols = findSymbols(sources.readText('/proc/kallsyms') ?? '', [UNLOCK, ...HOLDERS]);
  const unlock = symbols.find(({ name }) => name === UNLOCK.name);
  if (unlock === undefined) return '/proc/kallsyms does not tell where mutex_unlock is';
  const holders = symbols.filter((symbol) => symbol !== unlock);
  let isReadable = holders.length === 0;
  const sites = holders.flatMap(({ name, module, address, bytes }): UnlockSite[] => {
    const code = readKernelCode(sources, address, bytes);
    if (code === undefined) return [];
    isReadable = true;
    const event = HOLDERS.find((holder) => holder.name === name)?.event;
    const prefix = module === undefined ? '' : `${module}:`;
    return findTransfers(code, address, unlock.address).flatMap((offset) =>
      event === undefined ? [] : [{ event, place: `${prefix}${name}+${offset}` }],
    );
  });
  return isReadable ? sites : '/proc/kcore cannot be read';
}
