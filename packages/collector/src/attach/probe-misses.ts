/** Probes that the kernel skipped, as it counts them for the BPF programs that a process holds. */
import { closeSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';

/**
 * How often a probe of a process was hit and its program did not run, because another one ran on that
 * CPU already. Kernels count this for fentry probes (5.12), and later for kprobes, too; what they do not
 * count is not in it.
 *
 * @param procFolder of the process
 * @returns 0 when the process is gone
 */
export function countProbeMisses(procFolder: string): number {
  return sumOf(
    namesIn(`${procFolder}/fdinfo`).map((file) => {
      try {
        return readFileSync(`${procFolder}/fdinfo/${file}`, 'latin1');
      } catch {
        // Closed by now.
        return '';
      }
    }),
  );
}

export interface KeptProbeMisses {
  /** As `countProbeMisses` would say now. */
  count(): number;
  close(): void;
}

/**
 * The same for who may not look at the process any more: the kernel asks for that where such a file is opened, and
 * tells anew each time that it is read from its beginning.
 */
export function keepProbeMisses(procFolder: string): KeptProbeMisses {
  const room = Buffer.alloc(ROOM_BYTES);
  const text = (fd: number): string => {
    try {
      return room.toString('latin1', 0, readSync(fd, room, 0, room.length, 0));
    } catch {
      // The process is gone.
      return '';
    }
  };
  const kept = namesIn(`${procFolder}/fdinfo`).flatMap((file) => {
    let fd: number;
    try {
      fd = openSync(`${procFolder}/fdinfo/${file}`, 'r');
    } catch {
      return [];
    }
    if (PROGRAM.test(text(fd))) return [fd];
    closeSync(fd);
    return [];
  });
  return {
    count: () => sumOf(kept.map(text)),
    close: () => {
      for (const fd of kept.splice(0)) closeSync(fd);
    },
  };
}

/** What the kernel says of a program takes some hundred bytes. */
const ROOM_BYTES = 4096;

const PROGRAM = /^prog_id:\s*(\d+)$/m;

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** A program may be held by several descriptors. */
function sumOf(texts: readonly string[]): number {
  const missesOf = new Map<string, number>();
  for (const text of texts) {
    const program = PROGRAM.exec(text)?.[1];
    const misses = /^recursion_misses:\s*(\d+)$/m.exec(text)?.[1];
    if (program !== undefined && misses !== undefined) missesOf.set(program, Number(misses));
  }
  return [...missesOf.values()].reduce((sum, misses) => sum + misses, 0);
}
