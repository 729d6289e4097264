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
  type SurveyedSource,
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
    const surveyed: SurveyedSource[] = [];
    for (const [number, trace] of opened.entries())
      surveyed.push(
        await surveySource(
          { name: trace.name, trace, offset: inputs[number]?.offset },
          () => undefined,
        ),
      );
    const plan = planMerge(surveyed, { areDifferentHosts, keepsPointers, writer: 'test' });
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
