import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ProgramError } from '@vhostscope/terminal';
import { main } from './program.js';

let said = '';

beforeEach(() => {
  said = '';
  const hear = (text: unknown): boolean => {
    said += String(text);
    return true;
  };
  vi.spyOn(process.stderr, 'write').mockImplementation(hear);
  vi.spyOn(process.stdout, 'write').mockImplementation(hear);
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

async function testbed(...words: string[]): Promise<number> {
  return main(['node', 'testbed', ...words]);
}

test.each([
  [['load', '--cpus', '3'], 'Allowed choices are 1, 2'],
  [['load', '--kernel', '5.10'], 'Allowed choices are 6.1, 6.12'],
  [['dpdk', '--seconds', '0'], 'Not a positive number'],
  [['shell'], "missing required argument 'command'"],
  [['nonsense'], "unknown command 'nonsense'"],
])('%j is wrong usage', async (words, message) => {
  expect(await testbed(...words)).toBe(2);
  expect(said).toContain(message);
  expect(said).toMatch(/see `testbed( \w+)? --help`/);
});

test('the help of a load names its options', async () => {
  expect(await testbed('load', '--help')).toBe(0);
  expect(said).toContain('--event-idx');
});

test('a machine without apt is told what it lacks', async () => {
  vi.stubEnv('PATH', '/nonexistent');
  const error: unknown = await testbed('shell', 'true').catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(ProgramError);
  expect(error).toMatchObject({
    exitCode: 3,
    message: expect.stringMatching(/^this needs Debian's packages qemu-system-x86 .*no apt-get$/),
  });
});
