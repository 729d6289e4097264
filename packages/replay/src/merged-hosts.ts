/** Which virtqueues of a trace that was merged of several hosts are of which. */
import type { TraceHeader } from '@vhostscope/trace';
import { z } from 'zod';

export const mergedHostsSchema = z
  .array(
    z.object({
      /** The file that tells of the host, as it was named when it was merged. */
      file: z.string(),
      /** Ids of its virtqueues. */
      virtqueues: z.array(z.number().int().nonnegative()),
    }),
  )
  .nullable();

/** null of other traces, and of one that was merged before that was kept. */
export function mergedHosts({ merged }: TraceHeader): z.infer<typeof mergedHostsSchema> {
  if (merged === undefined || merged.hosts === 'one') return null;
  const hosts = merged.sources.flatMap(({ name, virtqueues }) =>
    virtqueues === undefined ? [] : [{ file: name, virtqueues }],
  );
  return hosts.length < merged.sources.length ? null : hosts;
}

/** `0 to 3, 7`. */
export function idsInWords(ids: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const id of ids) {
    const run = runs.at(-1);
    if (run !== undefined && run[1] + 1 === id) run[1] = id;
    else runs.push([id, id]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from} to ${to}`)).join(', ');
}
