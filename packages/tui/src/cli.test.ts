import { expect, test } from 'vitest';
import { run } from './cli.js';

interface Result {
  code: number;
  out: string;
  err: string;
}

function runWith(...args: string[]): Result {
  let out = '';
  let err = '';
  const code = run(args, { write: (text) => (out += text) }, { write: (text) => (err += text) });
  return { code, out, err };
}

test('--help and --version answer on stdout and exit 0', () => {
  expect(runWith('--help')).toMatchObject({ code: 0, err: '' });
  expect(runWith('--help').out).toContain('Usage: tui');
  expect(runWith('--version')).toMatchObject({ code: 0, err: '' });
  expect(runWith('--version').out).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test.each([[[]], [['trace.arrows']]])(
  'says in one line that there is no dashboard yet and what to use: %j',
  (args) => {
    const { code, out, err } = runWith(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^tui: .*not built yet.*`replay run TRACE`.*\n$/);
  },
);

test('an unknown option is named in one line', () => {
  const { code, err } = runWith('--colour');
  expect(code).toBe(2);
  expect(err).toMatch(/^tui: .*'--colour'.*--help`\n$/);
});
