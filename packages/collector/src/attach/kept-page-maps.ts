/**
 * Page tables of processes as files that root has opened: who reads them later need not be root any more, since the
 * kernel goes by who opened them. They show nothing of another process that gets the same number, nor of a program
 * that is run in the place of the first.
 */
import { closeSync, openSync } from 'node:fs';
import { counted } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';
import { readWordsAt, type WordReader } from './ring-pages.js';

export interface KeptPageMaps {
  readonly readWords: WordReader;
  /** What could not be told for want of them, for the trace. */
  limits(): readonly string[];
  close(): void;
}

const FLAGS = '/proc/kpageflags';

/** @param pids processes whose page tables are to be seen; those that are gone are left out */
export function keepPageMaps(
  pids: Iterable<number>,
  open: (path: string, flags: 'r') => number = openSync,
): KeptPageMaps {
  const kept = new Map<string, number>();
  /** Why they could not be opened although they are there. */
  const refused = new Map<string, string>();
  /** Page tables that were asked for and are not among them: of processes that came later, and those that were refused. */
  const unseen = new Set<string>();
  const missed = new Set<string>();
  for (const path of new Set([FLAGS, ...[...pids].map((pid) => `/proc/${pid}/pagemap`)])) {
    try {
      kept.set(path, open(path, 'r'));
    } catch (error) {
      // Else it is gone, or this kernel has no such file.
      if (!isAbsent(error)) refused.set(path, reasonOf(error));
    }
  }
  return {
    readWords: (path, index, words) => {
      const fd = kept.get(path);
      if (fd !== undefined) return readWordsAt(fd, index, words);
      // Opened now it would show less than it seems to: no number of a page, and so none that follows another.
      if (refused.has(path)) missed.add(path);
      else if (path !== FLAGS) unseen.add(path);
      throw new Error(`${path} was not opened in time`);
    },
    limits: () => {
      const limits: string[] = [];
      if (unseen.size > 0)
        limits.push(
          `the pages of the rings of ${processes(unseen.size)} that came after root was given up were not looked at`,
        );
      const tables = [...missed].filter((path) => path !== FLAGS);
      const [first = ''] = tables;
      if (tables.length > 0)
        limits.push(
          `the pages of the rings of ${processes(tables.length)} were not looked at: when root was given up their page tables could not be opened: ${refused.get(first)}`,
        );
      if (missed.has(FLAGS))
        limits.push(
          `which pages of rings are huge was not looked at: when root was given up ${FLAGS} could not be opened: ${refused.get(FLAGS)}`,
        );
      return limits;
    },
    close: () => {
      for (const fd of kept.values()) closeSync(fd);
      kept.clear();
    },
  };
}

function processes(howMany: number): string {
  return counted(howMany, 'process', 'processes');
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ESRCH';
}
