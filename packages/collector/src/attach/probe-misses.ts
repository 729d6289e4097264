/** Probes that the kernel skipped, as it counts them for the BPF programs that a process holds. */
import { readdirSync, readFileSync } from 'node:fs';

/**
 * How often a probe of a process was hit and its program did not run, because another one ran on that
 * CPU already. Kernels count this for fentry probes (5.12), and later for kprobes, too; what they do not
 * count is not in it.
 *
 * @param procFolder of the process
 * @returns 0 when the process is gone
 */
export function countProbeMisses(procFolder: string): number {
  let files: string[];
  try {
    files = readdirSync(`${procFolder}/fdinfo`);
  } catch {
    return 0;
  }
  // A program may be held by several descriptors.
  const missesOf = new Map<string, number>();
  for (const file of files) {
    try {
      const text = readFileSync(`${procFolder}/fdinfo/${file}`, 'latin1');
      const program = /^prog_id:\s*(\d+)$/m.exec(text)?.[1];
      const misses = /^recursion_misses:\s*(\d+)$/m.exec(text)?.[1];
      if (program !== undefined && misses !== undefined) missesOf.set(program, Number(misses));
    } catch {
      // Closed by now.
    }
  }
  return [...missesOf.values()].reduce((sum, misses) => sum + misses, 0);
}
