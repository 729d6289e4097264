/**
 * A trace file that is being written, by its name. That may come to be the name of another file, and a file may be
 * cut and written anew: what is there now takes the place of what was, once there is something of it to show.
 */
import { statSync } from 'node:fs';
import { reasonOf } from '@vhostscope/trace';
import { idOf, openGrowingFile, type GrowingFile } from './growing-file.js';
import type { Source } from './source.js';

/** Text is not followed by its name. */
export function adviceOnText(path: string): string {
  return `text that grows is shown by: tail -c +1 -F ${path} | tui -`;
}

/** ms between two looks at what the name stands for. */
const LOOK_EVERY = 1000;

export function followFile(path: string): Source {
  /** The one that is shown, and the one that will be. */
  let file: GrowingFile | undefined;
  let next: GrowingFile | undefined;
  /** Those before, which may still be on the screen. */
  const retired: GrowingFile[] = [];
  /** Why nothing that could be followed has the name. */
  let trouble: string | undefined;
  /** Another one than what is shown has it. */
  let isReplaced = false;
  let hasBegunAnew = false;
  let lookedAt = -Infinity;

  /** Looks which file has the name, and opens it where it is not the newest that was. */
  function look(): void {
    trouble = undefined;
    try {
      const stat = statSync(path);
      const id = idOf(stat);
      if (!stat.isFile()) {
        trouble = stat.isDirectory()
          ? `cannot read ${path}: is a directory`
          : `cannot follow ${path}: it is no file; tui - < ${path} reads a pipe`;
        return;
      }
      isReplaced = file !== undefined && id !== file.id;
      if (!isReplaced && file?.isCut === false) forgetNext();
      // Who looks at a trace that is whole keeps it.
      if (file !== undefined && !file.isCut && (!isReplaced || file.growing.isEnded)) return;
      if (next?.id === id && !next.isCut) return;
      const opened = openGrowingFile(path);
      forgetNext();
      next = opened;
    } catch (error) {
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      trouble =
        file === undefined
          ? `cannot read ${path}: ${reasonOf(error)}; tried again every second`
          : `${path} is not there any more (${reasonOf(error)}): what is shown is the file that was opened`;
    }
  }

  function forgetNext(): void {
    next?.close();
    next = undefined;
  }

  /** What has the name now takes the place of what had it. */
  function adopt(): void {
    if (file !== undefined) retired.push(file);
    hasBegunAnew ||= file !== undefined && hasRecording(file);
    file = next;
    next = undefined;
    isReplaced = false;
  }

  /** What is wrong with the file that is shown as another one has its name, or its place. */
  function changes(): string[] {
    if (file === undefined) return [];
    if (file.isCut)
      return [
        `${path} was cut while it was read: what is shown ends there${next !== undefined && hasRecording(next) ? '; l goes on with what stands in it now' : ''}`,
      ];
    if (!isReplaced) return [];
    if (file.growing.isEnded)
      return [`${path} is another file by now: tui --follow ${path} shows that one`];
    const way =
      next !== undefined && hasRecording(next)
        ? 'l goes on with it'
        : 'of which nothing can be shown yet';
    return [`${path} is another file by now, ${way}: what is shown is the one before`];
  }

  return {
    name: path,
    kind: 'growing file',
    get state() {
      if (file === undefined) return 'waiting';
      if (file.growing.isEnded) return 'ended';
      return next === undefined && isDead(file) ? 'gone' : 'reading';
    },
    get problems() {
      const newest = next ?? file;
      const damage = newest?.growing.damage;
      return [
        ...(trouble === undefined ? [] : [trouble]),
        ...(newest?.isOther === true ? [`${path} is no trace; ${adviceOnText(path)}`] : []),
        ...(damage === undefined ? [] : [`${path}: ${damage}`]),
        ...changes(),
        ...(hasBegunAnew
          ? [
              `${path} came to be another file, or was written anew: what was before is not shown any more`,
            ]
          : []),
        ...(file?.growing.completeness?.problems ?? []),
      ];
    },
    get trace() {
      return file?.growing.trace;
    },
    get lost() {
      return file?.isCut === true
        ? `${path} was cut, and cannot be read again: only what stands on the screen is left of it`
        : undefined;
    },
    isFinished: false,
    isText: false,
    get completeness() {
      return file?.growing.completeness;
    },
    get kept() {
      const bytes = file?.size ?? 0;
      return { bytes, most: bytes };
    },
    keptBytes: undefined,
    isBehind: false,
    refresh: (now, isFollowed) => {
      // By now the one that took its place is on the screen; who saves reads on in the one before.
      if (isFollowed) for (const old of retired.splice(0)) old.close();
      if (now - lookedAt >= LOOK_EVERY) {
        lookedAt = now;
        look();
      }
      file?.extend();
      next?.extend();
      if (next === undefined) return;
      if (file === undefined || !hasRecording(file) || (isFollowed && hasRecording(next))) adopt();
    },
    endAt: (damaged) => file?.endAt(damaged) ?? false,
    release: () => {},
    stop: () => {},
    close: async () => {
      for (const one of [...retired, next, file]) one?.close();
      return Promise.resolve();
    },
  };
}

function hasRecording({ growing }: GrowingFile): boolean {
  return (growing.trace?.index.recordings.length ?? 0) > 0;
}

/** Whatever comes, nothing of it can be read. */
function isDead({ isOther, growing }: GrowingFile): boolean {
  return isOther || growing.damage !== undefined;
}
