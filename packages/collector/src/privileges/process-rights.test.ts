/** What the kernel makes of it, `test/least-privilege.test.ts` tells, with processes of its own. */
import { describe, expect, it } from 'vitest';
import { actAs, OWN_RIGHTS, rightsInStatus } from './process-rights.js';

const NOBODY = { name: 'nobody', uid: 65534, gid: 65533, home: '/nonexistent' };
const WANTED = { uid: 65534, gid: 65533, groups: new Set([65533, 7]) };

const GIVEN_UP = [
  'Name:\tnode',
  'Uid:\t65534\t65534\t65534\t65534',
  'Gid:\t65533\t65533\t65533\t65533',
  'Groups:\t7 65533 ',
  'CapInh:\t0000000000000000',
  'CapPrm:\t0000000000000000',
  'CapEff:\t0000000000000000',
  'CapBnd:\t000001ffffffffff',
  'CapAmb:\t0000000000000000',
  '',
].join('\n');

describe('what is left of root', () => {
  it('nothing', () => {
    expect(rightsInStatus(GIVEN_UP, WANTED)).toBeUndefined();
    // Nobody has to be in a group beside its own.
    expect(rightsInStatus(GIVEN_UP.replace('7 65533 ', ''), WANTED)).toBeUndefined();
  });

  it.each([
    ['Uid:\t65534\t65534\t0\t65534', /^Uid.*$/m, 'is another user'],
    ['Uid:\t0\t65534\t65534\t65534', /^Uid.*$/m, 'is another user'],
    ['Gid:\t65533\t65533\t0\t65533', /^Gid.*$/m, 'is of another group'],
    ['Groups:\t0 7 ', /^Groups.*$/m, 'is of other groups beside'],
    ['CapPrm:\t0000000000000001', /^CapPrm.*$/m, 'has capabilities (CapPrm)'],
    ['CapEff:\t0000008000000000', /^CapEff.*$/m, 'has capabilities (CapEff)'],
    ['CapAmb:\t0000008000000000', /^CapAmb.*$/m, 'has capabilities (CapAmb)'],
    ['', /^Uid.*\n/m, 'is another user'],
    ['', /^Groups.*\n/m, 'is of other groups beside'],
    ['', /^CapInh.*\n/m, 'has capabilities (CapInh)'],
  ])('%s', (line, of, left) => {
    expect(rightsInStatus(GIVEN_UP.replace(of, line), WANTED)).toBe(left);
  });
});

/** A kernel that takes note. */
function kernel() {
  const calls: string[] = [];
  const note =
    (name: string) =>
    (...args: readonly (string | number)[]): void => {
      calls.push(`${name} ${args.join(' ')}`);
    };
  return {
    calls,
    ids: {
      initgroups: note('initgroups'),
      getgroups: () => [65533],
      setegid: note('setegid'),
      seteuid: note('seteuid'),
      setgid: note('setgid'),
      setuid: note('setuid'),
    },
  };
}

describe('acting as a user', () => {
  it('begins with the groups, and ends with the user, who could change nothing else', () => {
    const { calls, ids } = kernel();
    actAs(NOBODY, ids);
    expect(calls).toEqual(['initgroups nobody 65533', 'setegid 65533', 'seteuid 65534']);
  });

  it('root is what it is for one piece of work, also where that fails', () => {
    const { calls, ids } = kernel();
    const { asRoot } = actAs(NOBODY, ids);
    calls.length = 0;
    expect(() =>
      asRoot(() => {
        calls.push('work');
        throw new Error('fails');
      }),
    ).toThrow('fails');
    expect(calls).toEqual(['seteuid 0', 'setegid 0', 'work', 'setegid 65533', 'seteuid 65534']);
  });

  it.each(['initgroups', 'setegid', 'seteuid'] as const)(
    'is refused without the capabilities for it, and that is no bug: %s',
    (call) => {
      const { ids } = kernel();
      const refuse = (): void => {
        const words = 'EPERM: operation not permitted';
        throw Object.assign(new Error(`${words}, ${call}`), { code: 'EPERM', syscall: call });
      };
      const refused = (): unknown => actAs(NOBODY, { ...ids, [call]: refuse });
      expect(refused).toThrow(
        expect.objectContaining({
          name: 'ProgramError',
          exitCode: 3,
          message: expect.stringMatching(/^--user nobody: .* not permitted/),
          advice: expect.stringMatching(/cap_setuid and cap_setgid/),
        }),
      );
    },
  );

  it('a kernel that does not do what it is told is found out', () => {
    // Of the test's own process nothing has changed.
    const { calls, ids } = kernel();
    const { asRoot, giveUpRoot } = actAs(NOBODY, ids);
    calls.length = 0;
    expect(giveUpRoot).toThrow(
      /^root could not be given up for nobody: thread \d+ is another user/,
    );
    expect(calls.slice(0, 3)).toEqual(['seteuid 0', 'setgid 65533', 'setuid 65534']);
    calls.length = 0;
    expect(asRoot(() => 'work')).toBe('work');
    expect(calls).toEqual([]);
  });
});

it('where nobody asked for it nothing is given up', () => {
  OWN_RIGHTS.giveUpRoot();
  expect(OWN_RIGHTS.asRoot(() => process.geteuid?.())).toBe(process.geteuid?.());
});
