/** The file that is being written of a trace; one at a time. */
import { messageOf } from '@vhostscope/terminal';
import type { DashboardView } from '../dashboard.js';
import { openSave } from '../source/save-trace.js';
import type { SourceTrace } from '../source/source.js';

type Say = (text: string, isError: boolean) => void;

export interface Saving {
  readonly underWay: DashboardView['saving'];
  /** What the last one came to, where it was not given up. */
  readonly last: DashboardView['saved'];
  /**
   * @param kept bytes of the trace that can be read again; undefined for all
   * @param say told what it came to, where it is not given up; at once where the file cannot be made
   */
  begin(trace: SourceTrace, kept: number | undefined, path: string, say: Say): void;
  /**
   * Breaks off what is under way, and waits until nothing of it is left.
   *
   * @returns what was given up, in words
   */
  giveUp(): Promise<string | undefined>;
}

export function createSaving(): Saving {
  const abort = new AbortController();
  const { signal } = abort;
  let underWay: DashboardView['saving'];
  let last: DashboardView['saved'];
  let ended: Promise<void> | undefined;

  async function save(write: ReturnType<typeof openSave>, path: string, say: Say): Promise<void> {
    const onProgress = (progress: number): void => {
      underWay = { path, progress };
    };
    const end = (text: string, isError: boolean): void => {
      underWay = undefined;
      last = { text, isError };
      say(text, isError);
    };
    onProgress(0);
    try {
      end(await write({ signal, onProgress }), false);
    } catch (error) {
      // Who gives it up says so.
      if (signal.aborted) return;
      end(messageOf(error), true);
    }
  }

  return {
    get underWay() {
      return underWay;
    },
    get last() {
      return last;
    },
    begin: (trace, kept, path, say) => {
      if (underWay !== undefined) {
        say(`${underWay.path} is still being written: one file at a time`, true);
        return;
      }
      let write: ReturnType<typeof openSave>;
      try {
        write = openSave(trace, kept, path);
      } catch (error) {
        last = { text: messageOf(error), isError: true };
        say(last.text, true);
        return;
      }
      ended = save(write, path, say);
    },
    giveUp: async () => {
      abort.abort();
      await ended;
      return underWay === undefined
        ? undefined
        : `${underWay.path} was not written: that was given up at ${Math.floor(underWay.progress * 100)} %`;
    },
  };
}
