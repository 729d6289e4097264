/** What `replay export --json` prints of an export. */
import type { OpenTrace } from '@vhostscope/trace';
import { z } from 'zod';
import type { Completeness } from '../completeness.js';
import { headOf, resultHead } from '../result-head.js';
import type { Replayed } from '../replay-trace.js';
import { FORMATS } from './export-formats.js';

const count = z.number().int().nonnegative();

export const exportResultSchema = resultHead.extend({
  format: z.enum(FORMATS),
  output: z.string(),
  /** Whether what identifies the host is left out of the file. This document, which is no part of it, has it. */
  anonymised: z.boolean(),
  /** As `replay info` counts them. */
  events: count,
  /** Beside them: where recordings begin and end, and their virtqueues. */
  marks: count,
  bytes: count,
});
export type ExportResult = z.infer<typeof exportResultSchema>;

export function exportResult(
  trace: OpenTrace,
  replayed: Replayed,
  completeness: Completeness,
  written: Pick<ExportResult, 'format' | 'output' | 'anonymised' | 'events' | 'marks' | 'bytes'>,
): ExportResult {
  return { ...headOf(trace, replayed, completeness), ...written };
}
