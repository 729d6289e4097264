/**
 * Page tables of processes as files that root has opened: who reads them later need not be root any more, since the
 * kernel goes by who opened them. They show nothing of another process that gets the same number, nor of a program
 * that is run in the place of the first.
 */
import { closeSync, openSync } from 'node:fs';
import { readWordsAt, type WordReader } from './ring-pages.js';

export interface KeptPageMaps {
  readonly readWords: WordReader;
  /** Processes that were asked for and are not among them. */
  readonly unseen: ReadonlySet<string>;
  close(): void;
}

const FLAGS = '/proc/kpageflags';

/** @param pids processes whose page tables are to be seen; those that are gone are left out */
export function keepPageMaps(pids: Iterable<number>): KeptPageMaps {
  const kept = new Map<string, number>();
  const unseen = new Set<string>();
  for (const path of [FLAGS, ...[...pids].map((pid) => `/proc/${pid}/pagemap`)]) {
    try {
      if (!kept.has(path)) kept.set(path, openSync(path, 'r'));
    } catch {
      // It is gone, or this kernel has no such file.
    }
  }
  return {
    readWords: (path, index, words) => {
      const fd = kept.get(path);
      if (fd !== undefined) return readWordsAt(fd, index, words);
      // Opened now it would show less than it seems to: no number of a page, and so none that follows another.
      unseen.add(path);
      throw new Error(`${path} was not opened in time`);
    },
    unseen,
    close: () => {
      for (const fd of kept.values()) closeSync(fd);
      kept.clear();
    },
  };
}
