import { spawnSync } from 'node:child_process';
import { describe, expect, it, test } from 'vitest';
import {
  ALL_PRIVILEGES,
  capabilityNames,
  launch,
  neededCapabilities,
  type RecorderPrivileges,
} from './recorder-privileges.js';

const FEW = ['bpf', 'perfmon', 'syslog', 'ipc_lock'];

describe('what is needed', () => {
  it.each([
    ['bpftrace', true, 2, FEW],
    ['bpftrace', true, -1, FEW],
    // Debian's kernels.
    ['bpftrace', true, 3, ['sys_admin', 'syslog', 'ipc_lock']],
    ['bpftrace', true, undefined, ['sys_admin', 'syslog', 'ipc_lock']],
    ['bpftrace', false, 2, ['sys_admin', 'syslog', 'ipc_lock']],
    ['perf', true, 2, ['perfmon', 'syslog', 'ipc_lock']],
    ['perf', true, 4, ['sys_admin', 'syslog', 'ipc_lock']],
  ] as const)('%s, tested: %s, perf_event_paranoid %s', (recorder, isTested, paranoid, needed) => {
    expect(neededCapabilities({ recorder, isTested, perfEventParanoid: paranoid })).toEqual(needed);
  });
});

test('all of root’s rights take no setpriv', () => {
  expect(launch(ALL_PRIVILEGES, 'bpftrace', ['-'])).toEqual({ program: 'bpftrace', args: ['-'] });
});

test('in words', () => {
  expect(capabilityNames(['bpf', 'ipc_lock'])).toBe('cap_bpf, cap_ipc_lock');
});

/** What the kernel says of a process that is started so. */
function statusOf(privileges: RecorderPrivileges): Record<string, string> {
  const { program, args } = launch(privileges, 'cat', ['/proc/self/status']);
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'latin1' });
  expect(stderr).toBe('');
  return Object.fromEntries(
    [...stdout.matchAll(/^(\w+):\s*(.*)$/gm)].map(([, name = '', value = '']) => [
      name,
      value.replaceAll('\t', ' '),
    ]),
  );
}

describe.runIf(process.getuid?.() === 0)('on this kernel, by setpriv', () => {
  it('there are these capabilities, and no way to others', () => {
    expect(statusOf({ capabilities: FEW, realUser: undefined })).toMatchObject({
      Uid: '0 0 0 0',
      CapPrm: '000000c400004000',
      CapEff: '000000c400004000',
      CapBnd: '000000c400004000',
      CapInh: '0000000000000000',
      CapAmb: '0000000000000000',
      NoNewPrivs: '1',
    });
  });

  it('somebody else may send it signals, and it is user 0 all the same', () => {
    expect(statusOf({ capabilities: FEW, realUser: 65534 })).toMatchObject({
      Uid: '65534 0 0 0',
      CapEff: '000000c400004000',
      CapBnd: '000000c400004000',
    });
  });

  it('that goes without fewer capabilities, too', () => {
    const { Uid, CapEff } = statusOf({ capabilities: undefined, realUser: 65534 });
    expect(Uid).toBe('65534 0 0 0');
    expect(CapEff).toBe(statusOf(ALL_PRIVILEGES)['CapEff']);
  });
});
