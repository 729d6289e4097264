import { expect, it } from 'vitest';
import { lackedCapabilities } from './own-capabilities.js';

const FEW = ['bpf', 'perfmon', 'syslog', 'ipc_lock'];
const status = (effective: string): string =>
  `Name:\tCapEff: x\nCapPrm:\t000001ffffffffff\nCapEff:\t${effective}\nCapBnd:\t000001ffffffffff\n`;

it.each([
  ['000001ffffffffff', FEW, []],
  ['0000000000000000', FEW, FEW],
  ['000000c400004000', FEW, []],
  ['000000c000000000', FEW, ['syslog', 'ipc_lock']],
  // cap_sys_admin stands for two of them.
  ['0000000400204000', FEW, []],
  ['0000000000200000', FEW, ['syslog', 'ipc_lock']],
  ['000000c400004000', ['sys_admin'], ['sys_admin']],
])('%s, of %j: %j', (effective, wanted, lacked) => {
  expect(lackedCapabilities(status(effective), wanted)).toEqual(lacked);
});

it.each([undefined, '', 'CapEff:\tzz\n', 'CapEff:\t00000000000000000000\n'])(
  'where %j is all that there is, nothing is known',
  (text) => {
    expect(lackedCapabilities(text, FEW)).toBeUndefined();
  },
);
