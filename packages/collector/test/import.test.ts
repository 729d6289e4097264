/** `collector import`: what it writes, where, and what it says. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { openTrace, recordingCounts } from '@vhostscope/trace';
import { importResultSchema } from '../src/import-result-schema.ts';
import { collector } from './in-process.ts';
import { contentsOf, countsOfText, example, temporaryFolder, textOf } from './traces.ts';

const top = temporaryFolder();
let folder: string;
let made = 0;

/** Every test has an empty folder of its own, and runs in it. */
beforeEach(() => {
  folder = join(top, String(made++));
  mkdirSync(folder);
  process.chdir(folder);
});

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(name, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
  return name;
}

const mode = (path: string): number => statSync(path).mode & 0o777;

const SMALL = '# vhost-oracle 1\nN 5 0 1000 1 0\nM 6 0 1010\nA 8 0 1010 1 1 1\n';

describe('the output', () => {
  it('is named after the first input, in the current folder, and is for its owner only', async () => {
    const { code, out, err } = await collector('import', example('s3'));
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(
      /^collector: s3-resetup-under-storm\.arrows: 23,465 events in 1 recording from 1\.2 MB, .* written\n$/,
    );
    expect(readdirSync('.')).toEqual(['s3-resetup-under-storm.arrows']);
    expect(mode('s3-resetup-under-storm.arrows')).toBe(0o600);
  });

  it.each([
    ['run.txt', 'run.arrows'],
    ['run.json', 'run.arrows'],
    ['run.log.gz', 'run.arrows'],
    ['run', 'run.arrows'],
    ['run.2026', 'run.2026.arrows'],
    ['.txt', '.arrows'],
  ])('of %s is %s', async (input, output) => {
    file(input, SMALL);
    expect(await collector('import', input)).toMatchObject({ code: 0 });
    expect(readdirSync('.').toSorted()).toEqual([input, output].toSorted());
  });

  it('is not written over when its name was not given, except with --force', async () => {
    file('a.txt', SMALL);
    file('a.arrows', 'precious');
    const refused = await collector('import', 'a.txt');
    expect(refused).toEqual({
      code: 2,
      out: '',
      err: 'collector: a.arrows exists\ncollector: name an output with -o, or write over it with --force\n',
    });
    expect(readFileSync('a.arrows', 'utf8')).toBe('precious');
    expect(await collector('import', '--force', 'a.txt')).toMatchObject({ code: 0 });
    expect((await contentsOf('a.arrows')).recordings).toHaveLength(1);
  });

  it('is written over when its name was given, and is then for its owner only', async () => {
    file('a.txt', SMALL);
    file('b.arrows', 'x'.repeat(100_000));
    chmodSync('b.arrows', 0o644);
    expect(await collector('import', 'a.txt', '-o', 'b.arrows')).toMatchObject({ code: 0 });
    expect(mode('b.arrows')).toBe(0o600);
    expect((await contentsOf('b.arrows')).damage).toEqual([]);
  });

  it('goes where a symbolic link points', async () => {
    file('a.txt', SMALL);
    mkdirSync('far');
    file('far/b.arrows', 'old');
    symlinkSync('far/b.arrows', 'link.arrows');
    expect(await collector('import', 'a.txt', '-o', 'link.arrows')).toMatchObject({ code: 0 });
    expect((await contentsOf('far/b.arrows')).recordings).toHaveLength(1);
    expect(readdirSync('far')).toEqual(['b.arrows']);
  });

  it('may be a device', async () => {
    file('a.txt', SMALL);
    expect(await collector('import', 'a.txt', '-o', '/dev/null')).toMatchObject({ code: 0 });
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it.each([
    ['the same name', 'a.txt', 'a.txt'],
    ['another name of it', 'a.txt', 'hard'],
    ['a link to it', 'a.txt', 'soft'],
    ['a link to it', 'soft', 'a.txt'],
  ])('must not be an input: %s', async (_what, input, output) => {
    file('a.txt', SMALL);
    linkSync('a.txt', 'hard');
    symlinkSync('a.txt', 'soft');
    expect(await collector('import', input, '-o', output)).toEqual({
      code: 2,
      out: '',
      err: `collector: ${output} is an input and the output\ncollector: name another output with -o\n`,
    });
    expect(readFileSync('a.txt', 'latin1')).toBe(SMALL);
  });
});

describe('an output that cannot be written', () => {
  it.each([
    ['a full device', '/dev/full', 'no space left on the device'],
    ['a folder that does not exist', 'nope/a.arrows', 'its folder does not exist'],
    ['a folder', '.', 'is a directory'],
    ['below a file', 'a.txt/b.arrows', 'a part of the path is not a directory'],
    [
      'a folder that cannot be written',
      '/sys/kernel/a.arrows',
      '(permission denied|not permitted|the file system is read-only)',
    ],
  ])('%s', async (_what, output, reason) => {
    file('a.txt', SMALL);
    const { code, out, err } = await collector('import', 'a.txt', '-o', output);
    expect(err).toMatch(new RegExp(`^collector: cannot write ${output}: ${reason}\n$`));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(readdirSync('.')).toEqual(['a.txt']);
  });
});

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
    expect(await collector('import', folder)).toEqual({
      code: 2,
      out: '',
      err: `collector: cannot read ${folder}: is a directory\n`,
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

describe('what the trace holds', () => {
  it.each(['s3', 'u5'] as const)('%s: every event of the input', async (name) => {
    expect(await collector('import', example(name), '-o', 'a.arrows')).toMatchObject({ code: 0 });
    expect(await contentsOf('a.arrows')).toEqual({
      recordings: [countsOfText(textOf(name))],
      damage: [],
    });
  });

  it('several inputs, and several recordings in one, one after the other', async () => {
    file('two.txt', SMALL + textOf('u5'));
    const { code, err } = await collector('import', example('s3'), 'two.txt', '-o', 'a.arrows');
    expect(code).toBe(0);
    expect(err).toMatch(/ in 3 recordings /);
    const { recordings } = await contentsOf('a.arrows');
    expect(recordings).toEqual([textOf('s3'), SMALL, textOf('u5')].map(countsOfText));
  });

  it('an input without a header is a recording of its own too', async () => {
    file('a', SMALL);
    file('b', SMALL.replace(/^#.*\n/, ''));
    expect(await collector('import', 'a', 'b', '-o', 'c.arrows')).toMatchObject({ code: 0 });
    expect((await contentsOf('c.arrows')).recordings).toEqual([
      countsOfText(SMALL),
      countsOfText(SMALL),
    ]);
  });

  it('no kernel address, unless it is asked for', async () => {
    const text = textOf('s3');
    const addresses = new Set(
      Array.from(
        text.matchAll(/^(?:A|M|P|U|X|Z|N|R|IS|IE) \d+ \d+ (ffff[0-9a-f]{12})/gm),
        ([, at]) => at ?? '',
      ),
    );
    expect(addresses.size).toBe(3);
    const holds = (path: string): string[] => {
      const bytes = readFileSync(path);
      return [...addresses].filter((address) => {
        const stored = Buffer.alloc(8);
        stored.writeBigUInt64LE(BigInt(`0x${address}`));
        // Its upper half alone would tell as much.
        return [
          stored,
          stored.subarray(3),
          Buffer.from(address),
          Buffer.from(String(BigInt(`0x${address}`))),
        ].some((form) => bytes.includes(form));
      });
    };
    await collector('import', example('s3'), '-o', 'without.arrows');
    expect(holds('without.arrows')).toEqual([]);
    await collector('import', '--keep-pointers', example('s3'), '-o', 'with.arrows');
    expect(holds('with.arrows').length).toBeGreaterThan(0);
  });
});

describe('--json', () => {
  it('prints one document, and nothing else is said', async () => {
    const { code, out, err } = await collector('import', '--json', example('u5'), '-o', 'a.arrows');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const result = importResultSchema.parse(JSON.parse(out));
    expect(result).toEqual({
      output: 'a.arrows',
      bytes_written: statSync('a.arrows').size,
      recordings: 1,
      events: 4813,
      published: null,
      interrupted: false,
      complete: null,
      flaws: [],
      inputs: [
        {
          input: example('u5'),
          format: 'bpftrace',
          bytes: 357_949,
          lines: 4816,
          events: 4813,
          rejected: { lines: 0, first: [] },
          other: { lines: 0, first: [] },
          lost_events: '0',
          damage: null,
          notes: [],
          clock_offset: null,
          left_out: {},
        },
      ],
    });
  });

  it('tells what was wrong with each input, with places', async () => {
    file('bad.txt', `${SMALL}A 9 0 1010 1 1\nA 9 zero\nhello\nLost 3 events\n`);
    file('cut.gz', readFileSync(example('s3')).subarray(0, 50_000));
    file('empty', '');
    const { code, out, err } = await collector(
      'import',
      '--json',
      'bad.txt',
      'cut.gz',
      'empty',
      example('u5'),
      '-o',
      'a.arrows',
    );
    expect(code).toBe(0);
    const { inputs, recordings } = importResultSchema.parse(JSON.parse(out));
    expect(recordings).toBe(3);
    expect(inputs).toMatchObject([
      {
        input: 'bad.txt',
        rejected: { lines: 2, first: [{ line: 5, byte: SMALL.length }, { line: 6 }] },
        other: { lines: 1, first: [{ line: 7 }] },
        lost_events: '3',
        damage: null,
      },
      { input: 'cut.gz', damage: 'the gzip stream is cut off at byte 50000' },
      { input: 'empty', events: 0, damage: 'no events' },
      { events: 4813, rejected: { lines: 0 }, damage: null },
    ]);
    expect(err.split('\n')).toEqual([
      expect.stringMatching(
        /^collector: bad\.txt: 2 lines could not be read, the first is line 5 \(byte \d+\): A: /,
      ),
      expect.stringMatching(
        /^collector: bad\.txt: 1 line held no event, the first is line 7 \(byte \d+\)$/,
      ),
      'collector: bad.txt: bpftrace lost 3 events: the trace is not complete',
      'collector: cut.gz: the gzip stream is cut off at byte 50000',
      ...(err.includes('ends within')
        ? [expect.stringMatching(/^collector: cut\.gz: 1 line could not be read/)]
        : []),
      'collector: empty: no events',
      '',
    ]);
  });

  it('holds no control codes of file names or input', async () => {
    const name = '\u001b[31m\u009b2J\u202e.txt';
    writeFileSync(name, `${SMALL}A 9 0 1010 \u001b[2J\n`);
    const { out, err, code } = await collector('import', '--json', name, '-o', 'a.arrows');
    expect(code).toBe(0);
    expect(out + err).not.toMatch(/[^\P{C}\n]/u);
    expect(importResultSchema.parse(JSON.parse(out)).inputs[0]?.input).toBe(name);
  });
});

describe('--strict', () => {
  it.each([
    ['a line that cannot be read', `${SMALL}A 9 0 1010 1 1\n`, 1],
    ['lost events', `${SMALL}Lost 3 events\n`, 1],
    ['a line that is cut off', `${SMALL}A 9 0 1010 1 1`, 1],
    ['lines of other programs', `Attaching 3 probes...\n${SMALL}hello\n`, 0],
    ['nothing wrong', SMALL, 0],
  ])('%s', async (_what, content, expected) => {
    file('a.txt', content);
    expect(await collector('import', '--strict', 'a.txt')).toMatchObject({ code: expected });
    expect(await collector('import', '--force', 'a.txt')).toMatchObject({ code: 0 });
    expect(existsSync('a.arrows')).toBe(true);
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

describe('text of perf and ftrace', () => {
  const golden = (name: string): string =>
    join(import.meta.dirname, '../../trace/test/golden', name);

  it('is known by its lines, and what it does not tell is said', async () => {
    const { code, err } = await collector('import', golden('ftrace.txt.gz'), '-o', 'a.arrows');
    expect(code).toBe(0);
    expect(err).toMatch(/: times are whole microseconds, as ftrace prints them\n/);
    expect(err).toMatch(/: ranges are told with the thread that made them, not with its process/);
    expect(err).toMatch(/: 1,699 events in 1 recording /);
    const trace = await openTrace('a.arrows');
    const [recording] = trace.index.recordings;
    expect(recording && recordingCounts(trace.fd, recording)).toMatchObject({
      complete: null,
      notes: [
        'times are whole microseconds, as ftrace prints them',
        expect.stringMatching(/^ranges are told with the thread that made them/),
      ],
    });
    trace.close();
    expect(trace.index.header).toMatchObject({ clock: 'unknown', timeStep: 1000 });
  });

  it('has a clock where perf script --header tells it', async () => {
    const line =
      '           vload   193/193   [000]    30.148057810: vho:round: (0) vq=0xffff8c3ecbc90100';
    file(
      'perf.txt',
      `# ========\n# captured on: x\n${['range', 'uaddr', 'uninit'].map((name) => `# event : name = vho:${name}, , id = { 5 }, type = 2\n`).join('')}# clockid: boottime (7)\n# ========\n#\n${line}\n`,
    );
    const { code, err } = await collector('import', 'perf.txt', '-o', 'a.arrows');
    expect(code).toBe(0);
    expect(err).toMatch(/^collector: a\.arrows: 1 event in 1 recording .*\n$/);
    const trace = await openTrace('a.arrows');
    trace.close();
    expect(trace.index.header.clock).toBe('CLOCK_BOOTTIME');
    expect(trace.index.header).not.toHaveProperty('timeStep');
  });

  it('does not go into one trace with text of another clock', async () => {
    file('a.txt', SMALL);
    const { code, err } = await collector(
      'import',
      'a.txt',
      golden('ftrace.txt.gz'),
      '-o',
      'b.arrows',
    );
    expect(code).toBe(2);
    expect(err).toMatch(
      /ftrace\.txt\.gz is text of ftrace with microseconds of a clock that is not known, and a\.txt is text of bpftrace with nanoseconds of CLOCK_BOOTTIME: a trace has one clock, import them apart\n$/,
    );
    expect(existsSync('b.arrows')).toBe(false);
  });

  it('goes into one trace with a text without events, which has no clock', async () => {
    file('nothing.txt', 'hello\n');
    const ftrace = golden('ftrace.txt.gz');
    for (const files of [
      ['nothing.txt', ftrace],
      [ftrace, 'nothing.txt'],
    ]) {
      const { code, err } = await collector('import', ...files, '--force', '-o', 'b.arrows');
      expect([code, err]).toEqual([
        0,
        expect.stringMatching(/^collector: nothing\.txt: no events$/m),
      ]);
      const trace = await openTrace('b.arrows');
      trace.close();
      expect(trace.index.header).toMatchObject({ clock: 'unknown', timeStep: 1000 });
    }
    execFileSync('mkfifo', ['pipe']);
    const written = writeFile('pipe', 'hello\n');
    const { code } = await collector('import', ftrace, 'pipe', '--force', '-o', 'b.arrows');
    await written;
    expect(code).toBe(0);
  });

  it('that comes by a pipe behind a text without events finds another clock taken, and why', async () => {
    file('nothing.txt', 'hello\n');
    execFileSync('mkfifo', ['pipe']);
    const written = writeFile('pipe', gunzipSync(readFileSync(golden('ftrace.txt.gz'))));
    const { code, err } = await collector('import', 'nothing.txt', 'pipe', '-o', 'b.arrows');
    await written.catch(() => undefined);
    expect(code).toBe(2);
    expect(err).toMatch(
      /nothing\.txt is a text without events, and was taken for text of bpftrace: a trace has one clock, import them apart/,
    );
  });

  it('is found to be of another clock when it comes by a pipe, and what was read before stays', async () => {
    file('a.txt', SMALL);
    execFileSync('mkfifo', ['pipe']);
    const written = writeFile('pipe', gunzipSync(readFileSync(golden('ftrace.txt.gz'))));
    const { code, err } = await collector('import', 'a.txt', 'pipe', '-o', 'b.arrows');
    await written.catch(() => undefined);
    expect(code).toBe(2);
    expect(err).toMatch(
      /^collector: pipe is text of ftrace .*: a trace has one clock, import them apart; b\.arrows holds what was read before$/m,
    );
    expect((await contentsOf('b.arrows')).recordings).toEqual([countsOfText(SMALL)]);
  });

  it('tells who lost events, and what other events there were', async () => {
    file(
      'perf.txt',
      [
        '  a   193/193   [000]    30.100000000: vho:round: (0) vq=0xffff8c3ecbc90100',
        '  a   193/193   [000]    30.200000000: PERF_RECORD_LOST lost 17',
        '  a   193/193   [000]    30.300000000: sched:sched_switch: prev_comm=\x1b[2J',
        '',
      ].join('\n'),
    );
    const { code, out } = await collector(
      'import',
      '--json',
      '--strict',
      'perf.txt',
      '-o',
      'a.arrows',
    );
    expect(code).toBe(1);
    expect(importResultSchema.parse(JSON.parse(out)).inputs).toMatchObject([
      {
        format: 'perf script',
        lines: 3,
        events: 1,
        other: {
          lines: 1,
          first: [{ line: 3, reason: "sched:sched_switch is none of vhost's events" }],
        },
        lost_events: '17',
        notes: [
          'no event vho:range with start_end=1 in this text: it was not recorded, or never happened (perf script --header tells which)',
          'no event vho:range with start_end=0 in this text: it was not recorded, or never happened (perf script --header tells which)',
          'no event vho:uaddr in this text: it was not recorded, or never happened (perf script --header tells which)',
          'no event vho:uninit in this text: it was not recorded, or never happened (perf script --header tells which)',
        ],
      },
    ]);
    const said = await collector('import', 'perf.txt', '-o', 'a.arrows');
    expect(said.err).toMatch(/: perf lost 17 events: the trace is not complete\n/);
    expect(said.err).toMatch(
      /: 1 line held no event, the first is line 3 \(byte \d+\): sched:sched_switch is none/,
    );
  });
});
