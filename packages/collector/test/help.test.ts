/** What `--help` says of options. */
import { expect, it } from 'vitest';
import { collector } from './in-process.ts';

/** Options that take a value, by name, with their words on one line. */
function optionsWithValue(help: string): Map<string, string> {
  const [, text = ''] = /\nOptions:\n([\s\S]*?)(?:\n\n|$)/.exec(help) ?? [];
  const options = text.split(/\n(?= {2}-)/).map((option) => option.replaceAll(/\s+/g, ' ').trim());
  return new Map(
    options.flatMap((option) => {
      const name = /^(?:-\w, )?(--[\w-]+) </.exec(option)?.[1];
      return name === undefined ? [] : [[name, option]];
    }),
  );
}

const PUBLISHING = ['--publish', '--publish-as', '--publish-wait', '--spool', '--spool-max'];

it.each([
  [
    'attach',
    [
      '--output',
      '--socket',
      '--duration',
      '--detail',
      '--buffer',
      '--metrics',
      '--nice',
      '--user',
      '--with',
      '--bpftrace',
      '--perf',
      ...PUBLISHING,
    ],
  ],
  ['import', ['--output', '--offset', ...PUBLISHING]],
  ['fleet init', ['--replicas', '--max-bytes', '--max-age']],
  ['fleet send', ['--spool', '--wait']],
  ['fleet status', []],
  ['doctor', ['--with', '--bpftrace']],
  ['probes', ['--detail', '--with', '--bpftrace']],
])('%s: of each option that takes a value, the default', async (command, names) => {
  const { code, out } = await collector(...command.split(' '), '--help');
  expect(code).toBe(0);
  const options = optionsWithValue(out);
  expect([...options.keys()].toSorted()).toEqual(names.toSorted());
  for (const words of options.values()) expect(words).toMatch(/default: ./);
});

it('the size of the buffer is that which bpftrace is given', async () => {
  const { out } = await collector('attach', '--help');
  expect(optionsWithValue(out).get('--buffer')).toMatch(
    /default: 4 for each CPU up to bpftrace 0\.18, 64 for all since; 2 for each CPU with perf$/,
  );
});

it.each([
  [['schema', 'atach'], /Allowed choices are attach, .*\n\(Did you mean attach\?\)/],
  [['probes', '--perf', '--with', 'bpftrace'], /--with bpftrace contradicts it/],
  [['attach', '--with', 'perf', '--user', 'nobody'], /--user does not go with perf/],
  [['probes', '--perf', '--bpftrace', 'x'], /--bpftrace names a program that is not used/],
  [['doctor', '--with', 'perf', '--bpftrace', 'x'], /--bpftrace names a program that is not used/],
  [['attach', '--dry-run', '--perf', 'x'], /--perf names a program that is not used: .*\n.*--with/],
])('%j is refused, with what may be meant', async (args, why) => {
  const { code, out, err } = await collector(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(why);
});
