/** Whether this program may draw: a shell lets one of its jobs at a time have the terminal. */
import { readFileSync } from 'node:fs';

/** @param stat what the kernel tells of this process, see proc_pid_stat(5) */
export function hasTerminal(stat = ownStat()): boolean {
  // The name in front may hold anything. Behind it: state ppid pgrp session tty_nr tpgid.
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  // Without a terminal of its own, or where nobody tells, no shell takes it away.
  return foreground === undefined || Number(foreground) <= 0 || foreground === group;
}

function ownStat(): string {
  try {
    return readFileSync('/proc/self/stat', 'latin1');
  } catch {
    return '';
  }
}
