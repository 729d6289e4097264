/** Whose rights a process is to have instead of root's. */
import { EXIT, printable, ProgramError } from '@vhostscope/terminal';
import type { HostSources } from '../host/host-sources.js';

export interface UserAccount {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** As getent(1) prints an account: name, password, numbers of user and group, words, home. */
const ACCOUNT = /^([^:\n]+):[^:\n]*:(\d+):(\d+):[^:\n]*:([^:\n]*):/;

/** Neither an option of getent, nor several words. */
const NAME = /^[A-Za-z0-9_][\w.@\\-]*\$?$/;

/**
 * @param name of the user, or the number
 * @throws ProgramError when there is no such user, or user or group is root's
 */
export async function findUser(
  name: string,
  { run, user }: Pick<HostSources, 'run' | 'user'>,
): Promise<UserAccount> {
  if (user.uid !== 0)
    throw new ProgramError('--user gives up root for another user, and this is not run as root', {
      exitCode: EXIT.host,
      advice: 'run it with sudo',
    });
  const said = NAME.test(name) ? await run('getent', ['passwd', name]) : undefined;
  const [, found = '', uid = '', gid = '', home = ''] = ACCOUNT.exec(said ?? '') ?? [];
  if (found === '')
    throw new ProgramError(`there is no user ${printable(name)}`, {
      advice: 'name one of which getent passwd knows, as nobody or the user that you are',
    });
  if (Number(uid) === 0)
    throw new ProgramError(`--user ${printable(name)} is root, for whom nothing is given up`, {
      advice: 'name another user, or leave it out',
    });
  if (Number(gid) === 0)
    throw new ProgramError(
      `--user ${printable(name)} has root's group for its own, which it would keep: group 0`,
      { advice: 'name a user whose own group is another, as nobody' },
    );
  return { name: found, uid: Number(uid), gid: Number(gid), home };
}
