/**
 * The rights of this process, where they are to become those of a user. What it writes it writes as that user from the
 * beginning, so that nothing of root's is in the way later; root is what it is while it does what takes root; and when
 * the probes are attached root is given up for good.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { EXIT, ProgramError } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';
import type { UserAccount } from './user-account.js';

export interface ProcessRights {
  /**
   * Does something as root, and at once. No other code of the program runs meanwhile, but the threads of libuv's pool
   * go on and are root, too: a write to an open file that is under way, a name that is looked up. So nothing that
   * records opens a file there (`scripts/doors.test.mjs`).
   */
  readonly asRoot: <Result>(work: () => Result) => Result;
  /** For good. Does nothing where nobody asked for it. @throws ProgramError when the kernel says otherwise after it */
  readonly giveUpRoot: () => void;
}

/** Nothing is given up. */
export const OWN_RIGHTS: ProcessRights = {
  asRoot: (work) => work(),
  giveUpRoot: () => undefined,
};

/** What Node has for it. */
interface Ids {
  initgroups(user: string, group: number): void;
  getgroups(): number[];
  setegid(id: number): void;
  seteuid(id: number): void;
  setgid(id: number): void;
  setuid(id: number): void;
}

/**
 * From now on with the rights of a user, but for what is done `asRoot`.
 *
 * @throws ProgramError where the kernel refuses it
 */
export function actAs(
  { name, uid, gid }: UserAccount,
  ids: Ids = process as unknown as Ids,
): ProcessRights {
  let isGivenUp = false;
  try {
    ids.initgroups(name, gid);
    ids.setegid(gid);
    ids.seteuid(uid);
  } catch (error) {
    throw new ProgramError(
      `--user ${name}: this process may not act as another user: ${reasonOf(error)}`,
      {
        exitCode: EXIT.host,
        advice:
          'that takes cap_setuid and cap_setgid, which root has unless a container or a service was given fewer: grant them, or record without --user',
      },
    );
  }
  const groups = new Set(ids.getgroups());
  return {
    asRoot: (work) => {
      if (isGivenUp) return work();
      ids.seteuid(0);
      ids.setegid(0);
      try {
        return work();
      } finally {
        ids.setegid(gid);
        ids.seteuid(uid);
      }
    },
    giveUpRoot: () => {
      isGivenUp = true;
      ids.seteuid(0);
      // The group first: who is no longer root cannot change it. Real, effective and saved ones, as root asks for it.
      ids.setgid(gid);
      ids.setuid(uid);
      const left = rightsLeft({ uid, gid, groups }, ids);
      if (left !== undefined)
        throw new ProgramError(`root could not be given up for ${name}: ${left}`, {
          exitCode: EXIT.host,
          advice: left.endsWith('(CapInh)')
            ? 'it was started with inheritable capabilities, which no change of the user takes away: start it without, as setpriv --inh-caps=-all does, or record without --user'
            : 'record without --user, as root',
        });
    },
  };
}

interface Wanted {
  readonly uid: number;
  readonly gid: number;
  readonly groups: ReadonlySet<number>;
}

/** What is still root's, in words; undefined when nothing is. */
function rightsLeft(wanted: Wanted, ids: Ids): string | undefined {
  for (const thread of readdirSync('/proc/self/task')) {
    const status = readFileSync(`/proc/self/task/${thread}/status`, 'latin1');
    const left = rightsInStatus(status, wanted);
    if (left !== undefined) return `thread ${thread} ${left}`;
  }
  // It says so, and it is so.
  for (const again of [() => ids.seteuid(0), () => ids.setuid(0), () => ids.setegid(0)])
    if (isAllowed(again)) return 'the kernel let it be root again';
  return undefined;
}

function isAllowed(change: () => void): boolean {
  try {
    change();
    return true;
  } catch {
    return false;
  }
}

/**
 * What a thread has that the user has not.
 *
 * @param status text of its /proc/PID/status
 * @returns undefined when there is nothing
 */
export function rightsInStatus(status: string, { uid, gid, groups }: Wanted): string | undefined {
  const numbers = (name: string): string[] | undefined =>
    new RegExp(`^${name}:[ \\t]*(.*)$`, 'm').exec(status)?.[1]?.split(/\s+/).filter(Boolean);
  // Real, effective, saved, and that of file systems.
  if (numbers('Uid')?.every((id) => Number(id) === uid) !== true) return 'is another user';
  if (numbers('Gid')?.every((id) => Number(id) === gid) !== true) return 'is of another group';
  if (numbers('Groups')?.every((id) => groups.has(Number(id))) !== true)
    return 'is of other groups beside';
  for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapAmb'])
    if (!/^0+$/.test(numbers(set)?.[0] ?? '')) return `has capabilities (${set})`;
  return undefined;
}
