/** A trace that is all there: a trace file, or text that is imported first. */
import { completenessOf } from '@vhostscope/replay';
import { InputError, openTrace, type OpenOptions } from '@vhostscope/trace';
import type { Source } from './source.js';

/** @throws InputError, TraceFormatError, OutputError; also when it holds no event */
export async function openFinishedFile(path: string, options: OpenOptions = {}): Promise<Source> {
  const trace = await openTrace(path, options);
  const { index, fd, name } = trace;
  if (index.recordings.every(({ events }) => events.size === 0)) {
    trace.close();
    throw new InputError(`no events in ${name}`);
  }
  const completeness = completenessOf(trace);
  return {
    name,
    kind: 'file',
    state: 'ended',
    problems: completeness.problems,
    trace: { name, bytes: fd, index },
    lost: undefined,
    isFinished: true,
    completeness,
    kept: { bytes: index.goodBytes, most: index.goodBytes },
    keptBytes: undefined,
    isBehind: false,
    refresh: () => {},
    release: () => {},
    stop: () => {},
    close: async () => {
      trace.close();
      return Promise.resolve();
    },
  };
}
