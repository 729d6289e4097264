/** A trace that is all there: a trace file, or text that is imported first. */
import { completenessOf, type Completeness } from '@vhostscope/replay';
import {
  DamagedBatchError,
  InputError,
  openTrace,
  recordedNothing,
  upToDamage,
  type OpenOptions,
  type OpenTrace,
} from '@vhostscope/trace';
import type { Source, SourceTrace } from './source.js';

/** @throws InputError, TraceFormatError, OutputError; also when it holds no event */
export async function openFinishedFile(path: string, options: OpenOptions = {}): Promise<Source> {
  const opened = await openTrace(path, options);
  const { name } = opened;
  if (opened.index.recordings.every(({ events }) => events.size === 0)) {
    try {
      throw new InputError(saidOfNothing(opened));
    } finally {
      opened.close();
    }
  }
  let shown = shownOf(opened);
  return {
    name,
    kind: 'file',
    state: 'ended',
    isText: opened.imported !== undefined,
    get problems() {
      return shown.completeness.problems;
    },
    get trace() {
      return shown.trace;
    },
    lost: undefined,
    isFinished: true,
    get completeness() {
      return shown.completeness;
    },
    get kept() {
      const { goodBytes } = shown.trace.index;
      return { bytes: goodBytes, most: goodBytes };
    },
    keptBytes: undefined,
    isBehind: false,
    refresh: () => {},
    endAt: (damaged) => {
      shown = shownOf(upToDamage(shown.opened, damaged));
      return true;
    },
    release: () => {},
    stop: () => {},
    close: async () => {
      opened.close();
      return Promise.resolve();
    },
  };
}

function saidOfNothing(opened: OpenTrace): string {
  try {
    const nothing = recordedNothing(opened);
    if (nothing !== undefined)
      return `${nothing}: there is nothing to show; replay info tells how it ended`;
  } catch (error) {
    // How it ended is not known then.
    if (!(error instanceof DamagedBatchError)) throw error;
  }
  return `no events in ${opened.name}`;
}

interface Shown {
  readonly opened: OpenTrace;
  readonly trace: SourceTrace;
  readonly completeness: Completeness;
}

/** A trace, or what is left of it where what it says of itself is damaged. */
function shownOf(opened: OpenTrace): Shown {
  try {
    const { name, fd, index } = opened;
    return { opened, trace: { name, bytes: fd, index }, completeness: completenessOf(opened) };
  } catch (error) {
    if (error instanceof DamagedBatchError) return shownOf(upToDamage(opened, error));
    throw error;
  }
}
