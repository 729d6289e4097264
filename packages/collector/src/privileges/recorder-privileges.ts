/**
 * With how much of root's rights a recorder is started. bpftrace and perf want to be uid 0, but not all that uid 0
 * may: what the capability bounding set lacks, neither they nor anything that they start can ever have.
 */

/** What of the host decides how much a recorder needs. */
export interface NeedsOf {
  readonly recorder: 'bpftrace' | 'perf';
  /** Whether it was tested with no more than it needs. */
  readonly isTested: boolean;
  /** The setting kernel.perf_event_paranoid; undefined where it cannot be read. */
  readonly perfEventParanoid: number | undefined;
}

/**
 * The least with which it was seen to work, as setpriv(1) names capabilities.
 *
 * perf_event_open: above 2, which upstream does not have, Debian's kernels ask for sys_admin and take nothing else for
 * it. That stands for bpf and perfmon, too. A bpftrace that was not tested gets it as well: it may ask the kernel for
 * the types of modules, or put probes where these say.
 */
export function neededCapabilities({ recorder, isTested, perfEventParanoid }: NeedsOf): string[] {
  const isEnough = isTested && perfEventParanoid !== undefined && perfEventParanoid <= 2;
  return [
    ...(isEnough ? [...(recorder === 'bpftrace' ? ['bpf'] : []), 'perfmon'] : ['sys_admin']),
    // Addresses in /proc/kallsyms.
    'syslog',
    // Buffers beyond RLIMIT_MEMLOCK.
    'ipc_lock',
  ];
}

/** The same, with which it may ask the kernel for the types of modules, too. */
export function askingForTypes(capabilities: readonly string[]): string[] {
  return [...capabilities.filter((name) => name !== 'sys_admin'), 'sys_admin'];
}

export interface RecorderPrivileges {
  /** All that it, and what it starts, can ever have; undefined: all that root has here. */
  readonly capabilities: readonly string[] | undefined;
  /** Its real user, who may send it signals; undefined: root. */
  readonly realUser: number | undefined;
}

export const ALL_PRIVILEGES: RecorderPrivileges = { capabilities: undefined, realUser: undefined };

/** Of util-linux. */
export const SETPRIV = 'setpriv';

/** A program and its arguments, as they are started. */
export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
}

/**
 * How a program is started with no more than that. setpriv becomes it (exec), so that it has the number of the process
 * that is started, and its open files.
 */
export function launch(
  { capabilities, realUser }: RecorderPrivileges,
  program: string,
  args: readonly string[],
): Launch {
  const words = [
    ...(capabilities === undefined
      ? []
      : [
          `--bounding-set=${['-all', ...capabilities.map((name) => `+${name}`)].join(',')}`,
          '--inh-caps=-all',
          '--ambient-caps=-all',
        ]),
    ...(setsNoNewPrivileges({ capabilities, realUser }) ? ['--no-new-privs'] : []),
    // kill(2) asks for the real or the saved user of who gets a signal, and execve(2) makes the latter the effective one.
    ...(realUser === undefined ? [] : [`--ruid=${realUser}`, '--euid=0']),
  ];
  return words.length === 0
    ? { program, args }
    : { program: SETPRIV, args: [...words, '--', program, ...args] };
}

/**
 * Not with a real user of its own: there execve(2) makes it the effective one, too (up to Linux 6.12 at least), and
 * bpftrace is not uid 0 any more.
 */
export function setsNoNewPrivileges({ capabilities, realUser }: RecorderPrivileges): boolean {
  return capabilities !== undefined && realUser === undefined;
}

/** In words, as capabilities(7) has them. */
export function capabilityNames(capabilities: readonly string[]): string {
  return capabilities.map((name) => `cap_${name}`).join(', ');
}
