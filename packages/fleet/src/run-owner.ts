/**
 * Which process a run in the spool belongs to. Two at once would send, and delete, each other's pieces; one that
 * died belongs to whoever asks first.
 *
 * Files `owner.N`: the one with the greatest number counts. Taking a run over is making the next one, which only
 * one process can.
 */
import { randomBytes } from 'node:crypto';
import {
  linkSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export interface RunOwnership {
  /** The same, when the folder was given another name. */
  at(folder: string): RunOwnership;
  /** To be called now and then: a process that cannot be seen from elsewhere is known by it. */
  stillHere(): void;
  release(): void;
}

const ownerSchema = z.object({
  pid: z.number().int().positive(),
  /** When it began, in the kernel's ticks: numbers of processes come again. */
  began: z.string(),
  boot: z.string(),
  /** The namespace in which its number is what it is. */
  namespace: z.string(),
});
type Owner = z.infer<typeof ownerSchema>;

/** An owner in another namespace of processes that was not heard of for so long is gone. */
const SILENT_MS = 60_000;

/**
 * Makes a run's folder this process's.
 *
 * @returns undefined when it is that of another, which lives
 * @throws what the file system refused
 */
export function takeRun(folder: string): RunOwnership | undefined {
  const number = latestOwner(folder);
  if (number !== undefined && isAlive(folder, ownerName(number))) return undefined;
  const mine = ownerName((number ?? 0) + 1);
  const draft = join(folder, `.owner-${randomBytes(6).toString('hex')}`);
  writeFileSync(draft, JSON.stringify(thisProcess()), { mode: 0o600 });
  try {
    // Whole, or not at all, and only where it is not there.
    linkSync(draft, join(folder, mine));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return undefined;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
  if (number !== undefined) rmSync(join(folder, ownerName(number)), { force: true });
  return ownershipAt(folder, mine);
}

function ownershipAt(folder: string, mine: string): RunOwnership {
  return {
    at: (moved) => ownershipAt(moved, mine),
    stillHere: () => {
      const now = new Date();
      try {
        utimesSync(join(folder, mine), now, now);
      } catch {
        // The folder was taken away by somebody: that shows where it is written to.
      }
    },
    release: () => rmSync(join(folder, mine), { force: true }),
  };
}

function ownerName(number: number): string {
  return `owner.${number}`;
}

function latestOwner(folder: string): number | undefined {
  let latest: number | undefined;
  for (const name of readdirSync(folder)) {
    const [, digits] = /^owner\.(\d{1,15})$/.exec(name) ?? [];
    if (digits !== undefined) latest = Math.max(latest ?? 0, Number(digits));
  }
  return latest;
}

function isAlive(folder: string, name: string): boolean {
  const path = join(folder, name);
  let owner: Owner;
  let heardMs: number;
  try {
    owner = ownerSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    heardMs = statSync(path).mtimeMs;
  } catch {
    // After a crash of the host there may be an empty file.
    return false;
  }
  const here = thisProcess();
  if (owner.boot !== here.boot) return false;
  if (owner.namespace !== here.namespace) return Date.now() - heardMs < SILENT_MS;
  return beginOf(owner.pid) === owner.began;
}

function thisProcess(): Owner {
  return {
    pid: process.pid,
    began: beginOf(process.pid) ?? '',
    boot: textOf('/proc/sys/kernel/random/boot_id').trim(),
    namespace: namespaceOfProcesses(),
  };
}

/** The 22nd field of its status; its name, before it, may hold anything. */
function beginOf(pid: number): string | undefined {
  const status = textOf(`/proc/${pid}/stat`);
  const fields = status.slice(status.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[19];
}

function namespaceOfProcesses(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
