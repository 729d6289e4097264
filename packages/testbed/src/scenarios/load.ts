/** `load` and `vsock`: our own driver of a vhost device's rings, which disturbs their memory. */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { shellQuoted, type Host } from '../boot-host.js';
import { compile } from '../compile.js';
import { hostError } from '../host-error.js';
import { prepareGuest } from './prepare-guest.js';
import { startWhenTold, type RunningScenario } from './running-scenario.js';

/** Of disturbances: the table in load/disturbances.c. */
const KINDS =
  'mprotect, pageout, fork, soft-dirty, collapse, split, ksm, compact, migrate, set-up, edge, elsewhere';

/**
 * Options of the program in load/, by their names there: what each does and which values it takes,
 * `--help` of that program says (`testbed load --help` repeats it).
 */
export const LOAD_OPTIONS = [
  ['num', '<N>', 'ring entries, a power of two from 2 to 32768 (256)'],
  ['batch', '<N>', 'most packets of a round and direction (64)'],
  ['chain', '<N>', 'descriptors per buffer, 1 to 8 (1)'],
  ['event-idx', undefined, 'notify by event index'],
  ['dirty-log', undefined, 'log writes to guest memory (VHOST_F_LOG_ALL)'],
  ['log-unwritable', undefined, 'the same, into a log that cannot be written: all of it fails'],
  ['iotlb', undefined, 'translate by the device IOTLB'],
  ['iotlb-drops', '<N>', 'the same, and take all translations back so often a second'],
  ['busy-poll', '<US>', 'let vhost poll a ring that ran dry so long, 0: not at all (0)'],
  ['huge', undefined, 'begin in a huge page; default: in 4 KiB pages'],
  ['kvm-vm', undefined, 'make a KVM VM too: its MMU notifier watches the same memory'],
  ['packets', '<N>', 'packets per direction'],
  ['seconds', '<N>', 'end after so long (5 where --packets is not given)'],
  ['seed', '<N>', 'of all that is random (1)'],
  ['disturb', '<KINDS>', `kinds, comma-separated, or all, or none (all): ${KINDS}`],
  ['between', '<N>', 'one disturbance after every N rounds, 0: none (16)'],
  ['beside', '<N>', 'N disturbances a second from threads of their own, 0: none (0)'],
  ['threads', '<N>', 'threads that disturb beside the rounds (1)'],
  ['name', '<TEXT>', 'name of the process, 15 bytes at most (load)'],
] as const;

type OptionName = (typeof LOAD_OPTIONS)[number][0];

/** Values of options; `true` for one without a value. */
export type LoadOptions = { readonly [Name in OptionName]?: string | number | boolean };

const count = z.number().int().nonnegative();
const address = z.string().regex(/^0x[0-9a-f]+$/);

const loadResult = z.object({
  device: z.enum(['vhost-net', 'vhost-vsock']),
  /** In the guest. */
  pid: count,
  seed: count,
  seconds: z.number(),
  features: address,
  /** Descriptors of each buffer. */
  chain: count,
  event_idx: z.boolean(),
  dirty_log: z.boolean(),
  iotlb: z.boolean(),
  kvm_vm: z.boolean(),
  rounds: count,
  packets: z.object({ rx: count, tx: count }),
  virtqueues: z.array(
    z.object({
      /** In the device. */
      index: count,
      name: z.enum(['rx', 'tx']),
      num: count,
      desc: address,
      avail: address,
      used: address,
      /** Heads that were put into the avail ring; those of rx are not all used at the end. */
      heads_available: count,
      entries_used: count,
      /** Notifications to the device, and from it. */
      kicks: count,
      calls: count,
      /** That vhost reported by the queue's error eventfd. */
      errors: count,
    }),
  ),
  /** Of the device IOTLB, since the word to begin: read, and written. */
  iotlb_messages: z.object({ misses: count, updates: count, invalidations: count }),
  /** Bits that were set in the dirty log since then. */
  dirty_pages: count,
  disturbances: z.record(z.string(), z.object({ done: count, failed: count })),
});

export type LoadResult = z.infer<typeof loadResult>;

const FOLDER = fileURLToPath(new URL('../../load/', import.meta.url));

/**
 * Sets the load up in a host.
 *
 * @throws {ProgramError} with the program's exit code: 2 wrong options, 3 the host cannot
 */
export async function startLoad(
  host: Host,
  device: 'net' | 'vsock',
  options: LoadOptions = {},
): Promise<RunningScenario<LoadResult>> {
  const program = await compile('load', FOLDER, host.cache);
  await prepareGuest(host, {
    modules: [
      ...(device === 'net' ? ['vhost_net', 'tun'] : ['vhost_vsock']),
      ...(options['kvm-vm'] === true ? ['kvm_amd'] : []),
    ],
    swap: true,
  });
  const words = [program, ...(device === 'vsock' ? ['--vsock'] : []), ...loadArguments(options)];
  return startWhenTold(
    host,
    'load: ready',
    (goFile) => `exec ${[...words, '--wait-for', goFile].map(shellQuoted).join(' ')}`,
    ({ stdout }) => parseLoadResult(stdout),
  );
}

/** The command line of the program for options. */
export function loadArguments(options: LoadOptions): string[] {
  return LOAD_OPTIONS.flatMap(([name, value]) => {
    const given = options[name];
    if (given === undefined || given === false) return [];
    return value === undefined ? [`--${name}`] : [`--${name}`, String(given)];
  });
}

/**
 * Reads what the program printed.
 *
 * @throws {ProgramError} when it is no result
 */
export function parseLoadResult(text: string): LoadResult {
  try {
    return loadResult.parse(JSON.parse(text));
  } catch (error) {
    throw hostError(`the load printed no result: ${text.slice(0, 200)}`, undefined, error);
  }
}
