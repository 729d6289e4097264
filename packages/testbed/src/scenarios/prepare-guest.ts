import { type Host } from '../boot-host.js';
import { hostError } from '../host-error.js';

export interface GuestNeeds {
  readonly modules: readonly string[];
  /** Compressed swap in memory, so that pages can be paged out. */
  readonly swap?: boolean;
}

/**
 * Loads modules in the guest and gives it swap. May be called again.
 *
 * @throws {ProgramError} with exit code 3 when the guest cannot
 */
export async function prepareGuest(host: Host, { modules, swap }: GuestNeeds): Promise<void> {
  const steps = [`modprobe -a ${modules.join(' ')}`];
  if (swap === true) {
    steps.push(
      'grep -q zram0 /proc/swaps || { modprobe zram && echo 256M > /sys/block/zram0/disksize && ' +
        'mkswap /dev/zram0 > /dev/null && swapon /dev/zram0; }',
    );
  }
  const { status, stderr } = await host.run(steps.join(' && '));
  if (status !== 0) throw hostError(`the test host cannot be prepared: ${stderr.trim()}`);
}
