/**
 * What differs between versions of bpftrace, as far as the program or its settings depend on it, and which
 * versions have run the program. Everything else in it is written so that all of them read it alike.
 */

/** Major and minor number, and patch. */
export type BpftraceVersion = readonly [major: number, minor: number, patch: number];

/** How the program is written and run for one version. */
export interface BpftraceDialect {
  /**
   * Which modules' structs bpftrace knows: of `all` that are loaded, or that are probed; of those that a
   * `kfunc` probe names, or a `kprobe` (kprobe:vhost:vq_meta_prefetch).
   */
  readonly moduleStructs: 'all' | 'kfunc' | 'kprobe';
  /** The current process, as the host numbers it. */
  readonly processId: 'pid' | 'pid(init)';
  /** Whose is the buffer for lines that bpftrace has not read yet. */
  readonly buffer: 'each CPU' | 'all CPUs';
}

/** MiB of such a buffer, where nobody asks for another size. */
export const BUFFER_MIB: Readonly<Record<BpftraceDialect['buffer'], number>> = {
  'each CPU': 4,
  'all CPUs': 64,
};

/** A version, and what is different from it on. */
interface Change extends Partial<BpftraceDialect> {
  readonly since: BpftraceVersion;
}

/** In the order of the versions. */
const CHANGES: readonly [Change & BpftraceDialect, ...Change[]] = [
  { since: [0, 17, 0], moduleStructs: 'all', processId: 'pid', buffer: 'each CPU' },
  { since: [0, 17, 1], moduleStructs: 'kfunc' },
  // One ring buffer for all CPUs, instead of a perf buffer for each.
  { since: [0, 19, 0], buffer: 'all CPUs' },
  { since: [0, 21, 0], moduleStructs: 'kprobe' },
  // From 0.23 on, in a PID namespace, pid is a number of that namespace; 0.23 has no other.
  { since: [0, 24, 0], moduleStructs: 'all', processId: 'pid(init)' },
];

/** Older ones cannot read the structs of modules at all. */
export const OLDEST_BPFTRACE: BpftraceVersion = CHANGES[0].since;

/** The tests on a real kernel run with them. */
const TESTED: readonly BpftraceVersion[] = [[0, 17, 0]];

/** In words. */
export const TESTED_VERSIONS = '0.17';

/** Numbers of a version; undefined when there are none. */
export function versionNumbers(version: string | undefined): BpftraceVersion | undefined {
  const numbers = /^(\d+)\.(\d+)(?:\.(\d+))?/.exec(version ?? '');
  if (numbers === null) return undefined;
  const [, major, minor, patch = '0'] = numbers;
  return [Number(major), Number(minor), Number(patch)];
}

export function isBefore(version: BpftraceVersion, other: BpftraceVersion): boolean {
  const at = version.findIndex((number, place) => number !== other[place]);
  return at >= 0 && (version[at] ?? 0) < (other[at] ?? 0);
}

/** The dialect of a version; the oldest for one that is not known, or too old. */
export function dialectOf(version: BpftraceVersion = OLDEST_BPFTRACE): BpftraceDialect {
  const [{ since: _, ...oldest }, ...changes] = CHANGES;
  const made = changes.filter(({ since }) => !isBefore(version, since));
  return made.reduce<BpftraceDialect>((dialect, { since: __, ...change }) => {
    return { ...dialect, ...change };
  }, oldest);
}

/** Whether a version, or one of its line for which the program is the same, was tested. */
export function isTested(version: BpftraceVersion): boolean {
  const [major, minor] = version;
  const written = JSON.stringify(dialectOf(version));
  return TESTED.some(
    (tested) =>
      tested[0] === major && tested[1] === minor && JSON.stringify(dialectOf(tested)) === written,
  );
}

/** The newest whose language is known here. */
const NEWEST_KNOWN: BpftraceVersion = [0, 27, Infinity];

export function isNewerThanKnown(version: BpftraceVersion): boolean {
  return isBefore(NEWEST_KNOWN, version);
}
