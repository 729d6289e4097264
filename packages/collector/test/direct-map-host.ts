/** Hosts whose vhost has the direct-map code, as its compiler may have left it. */
import { ACCESSORS } from '@vhostscope/model';
import { DEBIAN_12, type HostFiles } from './pretended-host.ts';

export const TRACEABLE = '/sys/kernel/tracing/available_filter_functions';

const CALLBACKS = [
  'vhost_invalidate_range_start [vhost]',
  'vhost_invalidate_range_end [vhost]',
  'mmu_notifier_register',
  'mmu_notifier_unregister',
  'get_user_pages_fast_only',
];

const SMALL = [
  'vhost_map_prefetch [vhost]',
  'vhost_map_unprefetch [vhost]',
  'vhost_uninit_vq_maps [vhost]',
  'vhost_vq_reset [vhost]',
  'vhost_invalidate_vq_start [vhost]',
  'vhost_invalidate_vq_end [vhost]',
];

const ACCESSOR_FUNCTIONS = ACCESSORS.slice(1).map((name) => `vhost_${name} [vhost]`);

function hostWith(functions: readonly string[]): HostFiles {
  return { [TRACEABLE]: `${DEBIAN_12[TRACEABLE] ?? ''}${functions.join('\n')}\n` };
}

/** Every function stands on its own, as in a driver that was built to be looked at. */
export const WHOLE = hostWith([...CALLBACKS, ...SMALL, ...ACCESSOR_FUNCTIONS]);

/** Only what no compiler can inline. */
export const INLINED = hostWith(CALLBACKS);
