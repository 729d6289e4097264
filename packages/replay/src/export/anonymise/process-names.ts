/** Numbers and names for processes that tell which is which, and not which it was. */

export interface ProcessNames {
  /** The number that stands for a pid; numbers are given in the order in which they are asked for. */
  pid(pid: number): number;
  /** What stands for the name of a thread of a process. */
  name(pid: number, comm: string): string;
}

/** Its name says whose memory it works on, by a pid. */
const VHOST_WORKER = /^vhost-\d+$/;

export function createProcessNames(): ProcessNames {
  // 0 is the kernel's idle task on every host, or stands where nobody knows.
  const pids = new Map<number, number>([[0, 0]]);
  const names = new Map<string, string>();
  const namesOf = new Map<number, number>();
  let workers = 0;
  const pidOf = (pid: number): number => {
    const known = pids.get(pid);
    if (known !== undefined) return known;
    pids.set(pid, pids.size);
    return pids.size - 1;
  };
  const nameOf = (pid: number, comm: string): string => {
    if (VHOST_WORKER.test(comm)) return `vhost worker ${++workers}`;
    const number = (namesOf.get(pid) ?? 0) + 1;
    namesOf.set(pid, number);
    // Threads of a process have names of their own.
    return `process ${pidOf(pid)}${number === 1 ? '' : `, name ${number}`}`;
  };
  return {
    pid: pidOf,
    name: (pid, comm) => {
      const key = `${pid} ${comm}`;
      const known = names.get(key);
      if (known !== undefined) return known;
      const made = nameOf(pid, comm);
      names.set(key, made);
      return made;
    },
  };
}
