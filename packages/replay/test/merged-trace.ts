/** Merges recordings as `collector import --merge` does. */
import { closeSync, openSync } from 'node:fs';
import {
  closeTrace,
  createTraceWriter,
  mergeRecordings,
  openTrace,
  planMerge,
  surveySource,
  type MergedSource,
  type OpenTrace,
} from '@vhostscope/trace';

export interface MergeInput {
  readonly path: string;
  readonly offset?: bigint;
}

export interface Merged {
  readonly sources: readonly MergedSource[];
  readonly notes: readonly string[];
}

export async function mergeFiles(
  to: string,
  inputs: readonly MergeInput[],
  { areDifferentHosts = false, keepsPointers = false } = {},
): Promise<Merged> {
  const opened: OpenTrace[] = [];
  const fd = openSync(to, 'w');
  try {
    for (const { path } of inputs) opened.push(await openTrace(path));
    const plan = planMerge(
      opened.map((trace, number) =>
        surveySource({ name: trace.name, trace, offset: inputs[number]?.offset }),
      ),
      { areDifferentHosts, keepsPointers, writer: 'test' },
    );
    const writer = createTraceWriter(fd, plan.header);
    const sources = await mergeRecordings(
      writer,
      plan,
      () => undefined,
      () => false,
    );
    closeTrace(writer);
    return { sources, notes: plan.notes };
  } finally {
    closeSync(fd);
    for (const trace of opened) trace.close();
  }
}
