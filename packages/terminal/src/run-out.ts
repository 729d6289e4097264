/** What a machine, or what a process may have, can run out of anywhere: that is no bug of a program. */

/** What has run out, and what helps. */
export interface RunOut {
  readonly what: string;
  readonly advice: string;
}

const RUN_OUT: Readonly<Record<string, RunOut>> = {
  EMFILE: {
    what: 'too many open files',
    advice: 'allow more open files: ulimit -n says how many a process may have',
  },
  ENFILE: {
    what: 'too many open files on this machine',
    advice: 'sysctl fs.file-max says how many there may be',
  },
  ENOMEM: { what: 'no memory left', advice: 'run it where there is more, or end something else' },
};

const PROCESSES: RunOut = {
  what: 'too many processes',
  advice: 'allow more processes: ulimit -u says how many a user may have',
};

/** What a system call says has run out; undefined for any other error. */
export function runOut(error: unknown): RunOut | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, syscall } = error as NodeJS.ErrnoException;
  if (code === undefined || syscall === undefined) return undefined;
  return code === 'EAGAIN' && syscall.startsWith('spawn') ? PROCESSES : RUN_OUT[code];
}
