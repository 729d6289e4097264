/** What `replay export` makes for Perfetto, read back. */
import { join } from 'node:path';
import { expect } from 'vitest';
import { replay } from './in-process.ts';
import { readPerfettoTrace, type PerfettoTrace } from './perfetto-trace.ts';

export async function exportedPerfetto(
  folder: string,
  input: string,
  ...options: string[]
): Promise<PerfettoTrace> {
  const output = join(folder, 'out.pftrace');
  const { code, out, err } = await replay('export', '-o', output, ...options, input);
  expect({ code, out }).toEqual({ code: 0, out: '' });
  expect(err).not.toMatch(/unexpected/);
  return readPerfettoTrace(output);
}
