import { describe, expect, it } from 'vitest';
import { hostSources } from '../host/host-sources.js';
import { findUser } from './user-account.js';

const ACCOUNTS: Readonly<Record<string, string>> = {
  nobody: 'nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n',
  '1000': 'jo:x:1000:1001:Jo, of this host,,:/home/jo:/bin/sh\n',
  root: 'root:x:0:0:root:/root:/bin/sh\n',
  toor: 'toor:x:00:0::/root:/bin/sh\n',
  sync: 'sync:x:4:0:sync:/bin:/bin/sync\n',
  odd: 'something else\n',
};

/** What is asked for, too. */
function accounts(uid = 0) {
  const asked: string[][] = [];
  return {
    asked,
    user: { uid },
    run: async (program: string, args: readonly string[]) => {
      asked.push([program, ...args]);
      return Promise.resolve(ACCOUNTS[args[1] ?? '']);
    },
  };
}

describe('a user', () => {
  it('is found by name, or by number', async () => {
    expect(await findUser('nobody', accounts())).toEqual({
      name: 'nobody',
      uid: 65534,
      gid: 65533,
      home: '/nonexistent',
    });
    expect(await findUser('1000', accounts())).toMatchObject({ name: 'jo', uid: 1000, gid: 1001 });
  });

  it.each([
    ['jane', 'there is no user jane'],
    ['odd', 'there is no user odd'],
    ['root', '--user root is root, for whom nothing is given up'],
    ['toor', '--user toor is root, for whom nothing is given up'],
    ['sync', "--user sync has root's group for its own"],
    ['x\u001b[2J', String.raw`there is no user x\x1b[2J`],
  ])('%j: %s', async (name, message) => {
    await expect(findUser(name, accounts())).rejects.toThrow(message);
  });

  it.each(['', '-s', '--help', 'a b', 'a:b', 'a\nb'])('%j is asked of nobody', async (name) => {
    const host = accounts();
    await expect(findUser(name, host)).rejects.toThrow('there is no user');
    expect(host.asked).toEqual([]);
  });

  it('takes root to be asked for', async () => {
    const refused = findUser('nobody', accounts(1000));
    await expect(refused).rejects.toThrow('this is not run as root');
  });

  it.runIf(process.getuid?.() === 0)('of this host is found', async () => {
    expect(await findUser('nobody', hostSources())).toMatchObject({ name: 'nobody', uid: 65534 });
  });
});
