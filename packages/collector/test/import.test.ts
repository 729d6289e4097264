/** What the trace holds that `collector import` makes. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { openTrace, recordingCounts } from '@vhostscope/trace';
import { importResultSchema } from '../src/import-result-schema.ts';
import { file, SMALL } from './small-input.ts';
import { collector } from './in-process.ts';
import { inOwnFolders } from './own-folders.ts';
import { contentsOf, countsOfText, example, textOf } from './traces.ts';

inOwnFolders();

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
