import { expect, test } from 'vitest';
import { starting } from './starting.js';

test.each([
  ['ENOENT', 'no such file', 'install it'],
  ['EMFILE', 'too many open files', 'ulimit -n'],
  ['EAGAIN', 'too many processes', 'ulimit -u'],
  ['ENOMEM', 'no memory left', 'run it where there is more'],
])('%s when a program is started is told', (code, what, advice) => {
  const start = (): never => {
    throw Object.assign(new Error(`spawn ${code}`), { code, syscall: 'spawn bpftrace' });
  };
  expect(() => starting('bpftrace', 'install it', start)).toThrow(
    expect.objectContaining({
      name: 'ProgramError',
      message: `cannot start bpftrace: ${what}`,
      advice: expect.stringContaining(advice) as string,
      exitCode: 3,
    }) as Error,
  );
});
