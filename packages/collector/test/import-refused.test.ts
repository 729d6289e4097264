/** Inputs and command lines of which `collector import` makes nothing. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { file, SMALL } from './small-input.ts';
import { collector } from './in-process.ts';
import { inOwnFolders } from './own-folders.ts';

inOwnFolders();

describe('an input that cannot be used leaves nothing behind', () => {
  const NOISE = Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * i * 31 + i) & 0xff));

  it.each<[string, string | Uint8Array | undefined, RegExp]>([
    ['missing', undefined, /cannot read input: no such file/],
    ['empty', '', /input is empty/],
    ['empty, gzipped', gzipSync(''), /input is empty/],
    ['prose', 'It was a dark\nand stormy night.\n', /no events in input \(2 lines\)/],
    ['other JSON', '{"version": 1}\n', /no events in input/],
    [
      'JSON of perf',
      '{\n\t"linux-perf-json-version": 1,\n\t"samples": []\n}\n',
      /it is the JSON of perf data convert, which does not name the events: print .* perf script --ns/,
    ],
    [
      'perf script without CPUs',
      '  vload 193  1942.875429: vho:round: (0) vq=0x5\n',
      /it is perf script text without the CPUs of the events: print .*; where perf has none, it must record with -a/,
    ],
    [
      'perf script without times',
      '  vload 193 [000] vho:round: (0) vq=0x5\n',
      /it is perf script text without the times of the events/,
    ],
    ['perf.data', 'PERFILE2\0\0\0', /it is perf.data: print it with perf script --ns/],
    [
      'trace.dat',
      '\x17\x08\x44tracing6\0',
      /it is trace.dat of trace-cmd: print it with trace-cmd report -t/,
    ],
    ['binary', NOISE, /no events in input/],
    ['a header without events', '# vhost-oracle 1\n', /no events in input/],
  ])('%s', async (_what, content, said) => {
    if (content !== undefined) file('input', content);
    file('out.arrows', 'precious');
    const before = readdirSync('.');
    for (const output of ['new.arrows', 'out.arrows']) {
      const { code, out, err } = await collector('import', 'input', '-o', output);
      expect(err).toMatch(said);
      expect(err).toMatch(/^collector: .*\n(collector: expected vhost events as .*\n)?$/);
      expect(err.includes('expected')).toBe(err.includes('no events in'));
      expect(err).not.toMatch(/unexpected|is a bug/);
      expect({ code, out }).toEqual({ code: 2, out: '' });
    }
    expect(readdirSync('.')).toEqual(before);
    expect(readFileSync('out.arrows', 'utf8')).toBe('precious');
  });

  it('a directory', async () => {
    expect(await collector('import', process.cwd())).toEqual({
      code: 2,
      out: '',
      err: `collector: cannot read ${process.cwd()}: is a directory\n`,
    });
    expect(readdirSync('.')).toEqual([]);
  });

  it('a trace file: it needs no import', async () => {
    file('a.txt', SMALL);
    await collector('import', 'a.txt');
    const { code, err } = await collector('import', 'a.arrows', '-o', 'b.arrows');
    expect(code).toBe(2);
    expect(err).toBe('collector: a.arrows is a trace file already: replay reads it as it is\n');
    expect(existsSync('b.arrows')).toBe(false);
  });

  it('a terminal as the output', async () => {
    const { isTTY } = process.stdout;
    process.stdout.isTTY = true;
    try {
      const { code, err } = await collector('import', file('a.txt', SMALL), '-o', '-');
      expect(code).toBe(2);
      expect(err).toMatch(/^collector: a trace is no text: it does not go to a terminal\n/);
    } finally {
      process.stdout.isTTY = isTTY;
    }
  });

  it('standard output for the trace and for --json', async () => {
    const { code, err } = await collector('import', '--json', file('a.txt', SMALL), '-o', '-');
    expect(code).toBe(2);
    expect(err).toContain('-o - and --json both want standard output');
  });

  it('standard input twice', async () => {
    expect(await collector('import', '-', '-')).toEqual({
      code: 2,
      out: '',
      err: 'collector: standard input can be read only once\n',
    });
  });

  it('several without a single event: each is named', async () => {
    file('a', '');
    file('b', 'prose\n');
    const { code, err } = await collector('import', 'a', 'b', '-o', 'c.arrows');
    expect(code).toBe(2);
    expect(err).toMatch(
      /^collector: none of the inputs holds an event: a is empty; no events in b .*\ncollector: expected .*\n$/,
    );
    expect(existsSync('c.arrows')).toBe(false);
  });
});

describe('wrong usage', () => {
  it.each<[string, string[], RegExp]>([
    [
      'an unknown option',
      ['import', '--outptu', 'x', 'a'],
      /unknown option '--outptu'\n\(Did you mean --output\?\)\n/,
    ],
    ['an unknown command', ['imprt', 'a'], /unknown command 'imprt'\n\(Did you mean import\?\)\n/],
    ['no input', ['import'], /missing required argument 'file'\n/],
    ['an option without its value', ['import', 'a', '-o'], /argument missing/],
  ])('%s', async (_what, args, said) => {
    const { code, out, err } = await collector(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(said);
    expect(err).toMatch(/^collector: /);
    expect(err).toMatch(/collector: see `collector.* --help`\n$/);
  });

  it.each([['--help'], ['import', '--help'], ['help', 'import']])(
    '%s %s is answered on stdout',
    async (...args) => {
      const { code, out, err } = await collector(...args);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      expect(out).toMatch(/^Usage: collector/);
    },
  );

  it('--version', async () => {
    const { code, out } = await collector('--version');
    expect(code).toBe(0);
    expect(out).toMatch(
      /^\d+\.\d+\.\d+\S* \(trace format \d+, commit (?:[0-9a-f]{12}(?:\+changes)?|not known)\)\n$/,
    );
  });
});
