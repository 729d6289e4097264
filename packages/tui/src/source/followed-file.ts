/** A trace file that is being written: read as it grows. */
import { closeSync, constants, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { isArrowStream, reasonOf, STREAM_MARK_BYTES } from '@vhostscope/trace';
import { createGrowingTrace, type GrowingTrace } from './growing-trace.js';
import type { Source } from './source.js';

/** ms between two looks at a file that is not there. */
const TRY_EVERY = 1000;

export function followFile(path: string): Source {
  let fd: number | undefined;
  let growing: GrowingTrace | undefined;
  let trouble: string | undefined;
  let size = 0;
  let triedAt = -Infinity;
  let isCut = false;
  /** It is no trace, whatever follows. */
  let isOther = false;

  function open(): void {
    try {
      const stat = statSync(path);
      if (!stat.isFile()) {
        trouble = stat.isDirectory()
          ? `cannot read ${path}: is a directory`
          : `cannot follow ${path}: it is no file; tui - < ${path} reads a pipe`;
        return;
      }
      // It may be another by now: a pipe without a writer would hold everything up.
      fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
      growing = createGrowingTrace(path, fd);
      trouble = undefined;
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      trouble = `cannot read ${path}: ${reasonOf(error)}; tried again every second`;
    }
  }

  return {
    name: path,
    kind: 'growing file',
    get state() {
      if (growing === undefined) return 'waiting';
      if (growing.isEnded) return 'ended';
      return isCut || isOther || growing.damage !== undefined ? 'gone' : 'reading';
    },
    get problems() {
      return [
        ...(trouble === undefined ? [] : [trouble]),
        ...(isOther
          ? [`${path} is no trace; text that grows is shown by: tail -c +1 -F ${path} | tui -`]
          : []),
        ...(growing?.damage === undefined ? [] : [`${path}: ${growing.damage}`]),
        ...(isCut ? [`${path} was cut while it was read: what is shown ends there`] : []),
        ...(growing?.completeness?.problems ?? []),
      ];
    },
    get trace() {
      return growing?.trace;
    },
    isFinished: false,
    get completeness() {
      return growing?.completeness;
    },
    get kept() {
      return { bytes: size, most: size };
    },
    keptBytes: undefined,
    isBehind: false,
    refresh: (now) => {
      if (fd === undefined && now - triedAt >= TRY_EVERY) {
        triedAt = now;
        open();
      }
      if (fd === undefined || growing === undefined || growing.isEnded || isCut || isOther) return;
      const bytes = fstatSync(fd).size;
      if (bytes < size) {
        isCut = true;
        return;
      }
      size = bytes;
      isOther = growing.trace === undefined && bytes >= STREAM_MARK_BYTES && !isTrace(fd);
      if (bytes > 0 && !isOther) growing.extend(bytes);
    },
    release: () => {},
    stop: () => {},
    close: async () => {
      if (fd !== undefined) closeSync(fd);
      fd = undefined;
      return Promise.resolve();
    },
  };
}

function isTrace(fd: number): boolean {
  const head = new Uint8Array(STREAM_MARK_BYTES);
  readSync(fd, head, 0, head.length, 0);
  return isArrowStream(head);
}
