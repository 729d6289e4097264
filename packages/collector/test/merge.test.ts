/** `collector import --merge`: what becomes one recording, what of it is left out, and what is refused. */
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  closeTrace,
  createImportReport,
  createTextImporter,
  createTraceWriter,
  indexTrace,
  noteLiveEnd,
  openTrace,
  recordingCounts,
  surveySource,
  visitTrace,
} from '@vhostscope/trace';
import { EVENT_NAMES, hasDetail, NO_VQ } from '@vhostscope/model';
import { beforeEach, describe, expect, it } from 'vitest';
import { importResultSchema } from '../src/import-result-schema.ts';
import type { ImportResult } from '../src/import-result.ts';
import { collector, type Outcome } from './in-process.ts';
import { contentsOf, temporaryFolder } from './traces.ts';

const top = temporaryFolder();
let made = 0;

beforeEach(() => {
  const folder = join(top, String(made++));
  mkdirSync(folder);
  process.chdir(folder);
});

function file(name: string, ...lines: string[]): string {
  writeFileSync(name, Buffer.from(`${lines.join('\n')}\n`, 'latin1'));
  return name;
}

const ORACLE = '# vhost-oracle 1';
const STOCK = '# vhostscope 1';
const accesses = (name: string): string =>
  file(name, ORACLE, 'M 10 0 1010', 'A 20 0 1010 1 1 1', 'A 40 1 1010 2 1 1', 'A 60 0 1010 1 0 1');
const ranges = (name: string): string =>
  file(
    name,
    ORACLE,
    'N 5 0 1000 1 0',
    'R 30 1 1000 1 7f0000000000 7f0000001000 1 1 42 ksmd',
    'R 50 1 1000 0 7f0000000000 7f0000001000 1 1 42 ksmd',
  );
const perf = (name: string, time = '0.000000030'): string =>
  file(
    name,
    `  ksmd   42/42   [001]  ${time}: vho:range: dev=0x1000 start_end=1 start=0x7f0000000000 end=0x7f0000001000 event=1 blockable=1`,
  );

/** A live recording of which all that was counted has arrived. */
function whole(name: string, ...lines: string[]): string {
  const fd = openSync(name, 'w+');
  const writer = createTraceWriter(fd, {
    sources: ['bpftrace'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: true,
  });
  const importer = createTextImporter(writer, createImportReport());
  importer.push(Buffer.from([STOCK, ...lines, ''].join('\n'), 'latin1'));
  noteLiveEnd(writer, { ended: 'interrupted', doubts: [], missing: {} });
  importer.end();
  closeTrace(writer);
  closeSync(fd);
  return name;
}

/** A live recording without events. */
function emptyRecording(name: string, doubts: readonly string[]): void {
  const fd = openSync(name, 'w+');
  const writer = createTraceWriter(fd, {
    sources: ['bpftrace'],
    writer: 'test',
    clock: 'CLOCK_BOOTTIME',
    keepsPointers: true,
  });
  noteLiveEnd(writer, { ended: 'duration', doubts, missing: {} });
  closeTrace(writer);
  closeSync(fd);
}

/** What a recording tells of a host that has a round a millisecond: some of it when it first comes to it. */
function recorded(begin: number, end: number, firstSeen: number, without = NaN): string[] {
  const ms = (time: number): number => time * 1_000_000;
  const lines = [`H ${ms(begin)} 0 0 0 0 0 0 0`];
  for (let time = 100; time < 200; time++) {
    if (time < firstSeen || time > end || time >= without) continue;
    if (time === firstSeen)
      lines.push(
        `V ${ms(time)} 0 1010 1000 42 0 1`,
        ...[0, 1, 2].map((area) => `U ${ms(time)} 0 1010 ${area} 7f00000${area}0000 4096 -`),
        `I ${ms(time)} 0 1010 0`,
        `L ${ms(time)} 0 1010 0 1 1 1 0 1`,
      );
    lines.push(`M ${ms(time)} 0 1010`, `E ${ms(time) + 500} 0 1010 1 256 0 0 0`);
  }
  return [...lines, `H ${ms(end)} 0 0 0 0 0 0 0`];
}

/** Events in their order, with what they are of. */
async function told(path: string): Promise<string[]> {
  const trace = await openTrace(path);
  const lines: string[] = [];
  visitTrace(trace.fd, trace.index, (batch, from, to) => {
    for (let row = from; row < to; row++) {
      const name = EVENT_NAMES[batch.kind[row] ?? 0] ?? '';
      if (['recording', 'recording_end', 'virtqueue'].includes(name)) continue;
      const at = batch.detail[row] ?? 0;
      const { details } = batch;
      const vq = batch.vq[row] === NO_VQ ? '' : ` vq ${batch.vq[row]}`;
      const dev =
        hasDetail(details, at, 'dev') && name !== 'access' ? ` dev ${details.dev[at]}` : '';
      lines.push(`${batch.time[2 * row]} cpu ${batch.cpu} ${name}${vq}${dev} ${batch.line[row]}`);
    }
  });
  trace.close();
  return lines;
}

/** The device of each virtqueue, as the trace's tables tell it. */
async function devices(path: string): Promise<string[]> {
  const trace = await openTrace(path);
  const lines: string[] = [];
  visitTrace(trace.fd, trace.index, ({ kind, vq, detail, details }, from, to) => {
    for (let row = from; row < to; row++) {
      if (EVENT_NAMES[kind[row] ?? 0] !== 'virtqueue') continue;
      const at = detail[row] ?? 0;
      lines.push(`vq ${vq[row]} dev ${hasDetail(details, at, 'dev') ? details.dev[at] : '-'}`);
    }
  });
  trace.close();
  return [...new Set(lines)];
}

/** A trace of which one byte of its first batch of events is changed, which only its reader looks at. */
function withDamagedEvents(bytes: Uint8Array): Uint8Array {
  writeFileSync('damaged', bytes);
  const fd = openSync('damaged', 'r+');
  try {
    const index = indexTrace(fd, bytes.length);
    const [batch] = index.recordings[0]?.events.get(0) ?? [];
    const end = batch === undefined ? 0 : batch.offset + 8 + batch.metadataBytes + batch.bodyBytes;
    for (let at = end - (batch?.bodyBytes ?? 0); at < end; at++) {
      writeSync(fd, Uint8Array.of(0xff), 0, 1, at);
      try {
        visitTrace(fd, index, () => undefined);
        writeSync(fd, bytes, at, 1, at);
      } catch {
        return readFileSync('damaged');
      }
    }
    throw new Error('no byte of the events matters');
  } finally {
    closeSync(fd);
  }
}

const counts = async (path: string): Promise<ReturnType<typeof recordingCounts>> => {
  const trace = await openTrace(path);
  const [recording] = trace.index.recordings;
  const found = recording && recordingCounts(trace.fd, recording);
  trace.close();
  return found;
};

describe('of one host', () => {
  it('puts what its files tell into one recording, in the order of time', async () => {
    const { code, out, err } = await collector(
      'import',
      '--merge',
      accesses('a.txt'),
      ranges('r.txt'),
    );
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(err).toMatch(/^collector: a\.arrows: 7 events in 1 recording from .* written\n$/);
    expect(await told('a.arrows')).toEqual([
      '5 cpu 0 notifier dev 0 1',
      '10 cpu 0 round vq 0 2',
      '20 cpu 0 access vq 0 3',
      '30 cpu 1 range_start dev 0 4',
      '40 cpu 1 access vq 0 5',
      '50 cpu 1 range_end dev 0 6',
      '60 cpu 0 access vq 0 7',
    ]);
    expect(await contentsOf('a.arrows')).toMatchObject({ recordings: [{ access: 3 }], damage: [] });
  });

  it('takes what is told twice from the file that is named first, and says so', async () => {
    accesses('a.txt');
    // Seen a little later by another; cpu 1 only by that one.
    file('b.txt', ORACLE, 'A 21 0 1010 1 1 1', 'P 55 0 1010 0 0 1 1', 'A 61 0 1010 1 0 1');
    const { code, out, err } = await collector('import', '--merge', '--json', 'a.txt', 'b.txt');
    expect(code).toBe(0);
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^collector: a\.txt: no event of the MMU notifier was recorded/),
      expect.stringMatching(/^collector: b\.txt: no event of the MMU notifier was recorded/),
      'collector: b.txt: 2 events left out, as a file named before tells them: access 2',
      '',
    ]);
    const result = importResultSchema.parse(JSON.parse(out));
    expect(result).toMatchObject({ events: 5, recordings: 1 });
    expect(result.inputs.map(({ left_out }) => left_out)).toEqual([{}, { access: 2 }]);
    expect((await told('a.arrows')).map((line) => line.split(' ')[0])).toEqual([
      '10',
      '20',
      '40',
      '55',
      '60',
    ]);
  });

  it('says that one file tells nothing of the MMU notifier where no other one does', async () => {
    accesses('a.txt');
    const args = ['import', '--merge', '--json', '--force', 'a.txt'];
    const untold = expect.stringMatching(/^no event of the MMU notifier was recorded/);
    const notes = ({ out }: { readonly out: string }): unknown =>
      importResultSchema.parse(JSON.parse(out)).inputs.map((input) => input.notes);
    const without = await collector(...args, file('b.txt', ORACLE, 'Z 55 0 1010'));
    expect(without.err).toContain('no event of the MMU notifier');
    expect(notes(without)).toEqual([[untold], []]);
    const both = await collector(...args, ranges('r.txt'));
    expect(both.err).not.toContain('no event of the MMU notifier');
    expect(notes(both)).toEqual([[], []]);
    const hosts = ['--different-hosts', '--offset', 'r.txt=0'];
    const apart = await collector(...args, 'r.txt', ...hosts);
    expect(apart.err).toContain('no event of the MMU notifier');
    expect(notes(apart)).toEqual([[untold], []]);
  });

  it('leaves nothing out of which the file named first tells another kind, or the other half', async () => {
    file(
      'a.txt',
      ORACLE,
      'U 10 0 1010 0 7f0000000000 100 0',
      'A 20 0 1010 1 1 1',
      'IS 31 0 1010 0 1 1',
      'A 40 0 1010 1 0 1',
      'R 41 0 1000 1 7f0000000000 7f0000001000 1 1 42 ksmd',
    );
    file(
      'b.txt',
      ORACLE,
      'IE 35 0 1010 0 0',
      'N 45 0 1000 1 0',
      'X 50 0 1010 7 0',
      'R 51 0 1000 0 7f0000000000 7f0000001000 1 1 42 ksmd',
      'Z 60 0 1010',
    );
    const { code, out, err } = await collector('import', '--merge', '--json', 'a.txt', 'b.txt');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const result = importResultSchema.parse(JSON.parse(out));
    expect(result).toMatchObject({ complete: null, flaws: [], events: 10 });
    expect(result.inputs.map(({ left_out }) => left_out)).toEqual([{}, {}]);
    expect((await told('a.arrows')).map((line) => line.split(' ')[3])).toEqual([
      'addresses',
      'access',
      'effect_start',
      'effect_end',
      'access',
      'range_start',
      'notifier',
      'unmap',
      'range_end',
      'reset',
    ]);
  });

  it('is not complete where a file left out tells of a time of which the one taken tells nothing', async () => {
    accesses('a.txt');
    file('b.txt', ORACLE, 'A 21 0 1010 1 1 1', 'A 9000000 0 1010 1 0 1');
    const { code, err } = await collector('import', '--merge', '--strict', 'a.txt', 'b.txt');
    expect(code).toBe(1);
    expect(err).toMatch(/2 events left out/);
    expect(await counts('a.arrows')).toMatchObject({
      complete: false,
      flaws: [expect.stringMatching(/^b\.txt: 1 of its events were left out/)],
    });
  });

  it('tells in JSON whether it is complete, and which file is why it is not', async () => {
    accesses('a.txt');
    ranges('r.txt');
    const merge = async (...files: string[]): Promise<ImportResult> => {
      const { out } = await collector('import', '--merge', '--json', ...files, '-o', 'ar.arrows');
      return importResultSchema.parse(JSON.parse(out));
    };
    expect(await merge('a.txt', 'r.txt')).toMatchObject({ complete: null, flaws: [] });
    await collector('import', '--keep-pointers', 'a.txt', '-o', 'a.arrows');
    writeFileSync('torn.arrows', readFileSync('a.arrows').subarray(0, -100));
    expect(await merge('torn.arrows', 'r.txt')).toMatchObject({
      complete: false,
      flaws: [expect.stringMatching(/^torn\.arrows: the last \d+ bytes/)],
    });
  });

  it('names the file that lost events, and the one that cannot be read', async () => {
    accesses('a.txt');
    file('b.txt', ORACLE, 'P 30 0 1010 0 0 1 1', 'Lost 4 events', 'P 31 0 1010 0 0 1 1');
    await collector('import', '--keep-pointers', 'b.txt', '-o', 'b.arrows');
    const lossy = await collector('import', '--merge', 'a.txt', 'b.arrows', '-o', 'ab.arrows');
    expect(lossy.err).toMatch(/^collector: b\.arrows: events were lost \(bpftrace: 4\)/m);
    writeFileSync('bad.arrows', withDamagedEvents(readFileSync('b.arrows')));
    expect(
      await collector('import', '--merge', 'a.txt', 'bad.arrows', '-o', 'x.arrows'),
    ).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /^collector: bad\.arrows: batch at byte \d+ was changed .*\n.*copy the file again/,
      ),
    });
  });

  it('is not complete where the file taken ends to tell of a virtqueue, whatever else it tells later', async () => {
    file('a.txt', ORACLE, 'A 20 0 1010 1 1 1', 'A 21 0 1010 2 0 0', 'A 9000001 0 2010 1 1 1');
    file('b.txt', ORACLE, 'A 21 0 1010 1 1 1', 'A 9000000 0 1010 1 0 1', 'A 9000002 0 2010 1 1 1');
    await collector('import', '--merge', 'a.txt', 'b.txt');
    expect(await counts('a.arrows')).toMatchObject({
      complete: false,
      flaws: [expect.stringMatching(/^b\.txt: 1 of its events were left out/)],
    });
  });

  it('says that one file tells of less time, where only addresses tell that they are of one device', async () => {
    file('a.txt', ORACLE, 'A 20 0 1010 1 1 1', 'A 5000000020 0 1010 2 0 0');
    ranges('r.txt');
    const { err } = await collector('import', '--merge', 'a.txt', 'r.txt');
    expect(err).toMatch(/^collector: r\.txt: it tells nothing after 50 ns, of which others tell/m);
    file('other.txt', ORACLE, 'N 5 0 2000 1 0');
    const apart = await collector('import', '--merge', '--force', 'a.txt', 'other.txt');
    expect(apart.err).not.toMatch(/it tells nothing/);
  });

  it('is complete of whole recordings, each of which tells a ring when it first sees it', async () => {
    whole('a.arrows', ...recorded(90, 200, 100));
    whole('b.arrows', ...recorded(80, 195, 150));
    expect(await counts('a.arrows')).toMatchObject({ complete: true });
    const merged = await collector('import', '--merge', 'a.arrows', 'b.arrows', '-o', 'c.arrows');
    expect(merged.code).toBe(0);
    expect(await counts('c.arrows')).toMatchObject({
      complete: true,
      events: { addresses: 3, iotlb: 1, pages: 1, round: 100 },
    });
  });

  it.each([
    ['rounds', recorded(90, 200, 100, 150), recorded(80, 195, 100)],
    [
      'a ring that was set up behind its end',
      recorded(90, 150, 100),
      [...recorded(80, 150, 100), 'U 160000000 0 1010 0 7f0000090000 4096 -'],
    ],
  ])('is not complete of recordings that end, where one misses %s', async (_, first, second) => {
    whole('a.arrows', ...first);
    whole('b.arrows', ...second);
    await collector('import', '--merge', 'a.arrows', 'b.arrows', '-o', 'c.arrows');
    expect(await counts('c.arrows')).toMatchObject({
      complete: false,
      flaws: [expect.stringMatching(/^b\.arrows: \d+ of its events were left out/)],
    });
  });

  it('says where files do not overlap in time, with the times of each', async () => {
    accesses('a.txt');
    file('b.txt', ORACLE, 'P 61 0 1010 0 0 1 1', 'P 70 0 1010 0 0 1 1');
    file('c.txt', ORACLE, 'Z 90 0 1010');
    const apart = await collector('import', '--merge', 'b.txt', 'a.txt', 'c.txt');
    expect(apart.err.split('\n').filter((line) => line.includes('overlap'))).toEqual([
      expect.stringMatching(
        /a\.txt and b\.txt, c\.txt do not overlap in time: a\.txt from 10 to 60 ns, b\.txt, c\.txt from 61 to 90 ns; if they are of one time, their clocks differ, and --offset FILE=TIME moves those of one$/,
      ),
      expect.stringMatching(
        /: b\.txt and c\.txt do not overlap in time: b\.txt from 61 to 70 ns, c\.txt from 90 to 90 ns; if /,
      ),
    ]);
    const args = ['--force', '--offset', 'b.txt=-1ns', '--offset', 'c.txt=-21ns'];
    const together = await collector('import', '--merge', 'a.txt', 'b.txt', 'c.txt', ...args);
    expect(together.err).not.toMatch(/overlap/);
  });

  it('finds the device of a virtqueue of a trace file that tells of none', async () => {
    accesses('a.txt');
    await collector('import', '--keep-pointers', 'a.txt', '-o', 'kept.arrows');
    const { code } = await collector(
      'import',
      '--merge',
      'kept.arrows',
      ranges('r.txt'),
      '-o',
      'b.arrows',
    );
    expect(code).toBe(0);
    expect(await devices('b.arrows')).toEqual(['vq 0 dev 0']);
  });

  it('finds the device of a virtqueue in another file', async () => {
    accesses('a.txt');
    file('r.txt', ORACLE, 'N 5 0 1000 1 0', 'N 6 0 2000 1 0');
    await collector('import', '--merge', '--keep-pointers', 'a.txt', 'r.txt');
    const trace = await openTrace('a.arrows');
    const { tables } = trace.index.recordings[0] ?? {};
    expect(tables).not.toEqual([]);
    trace.close();
    expect(await told('a.arrows')).toContain('5 cpu 0 notifier dev 0 1');
  });

  it('takes trace files that keep kernel addresses, gzipped too, and none that do not', async () => {
    accesses('a.txt');
    file('p.txt', ORACLE, 'N 5 0 1000 1 0', 'P 12 0 1010 0 0 1 1');
    await collector('import', '--keep-pointers', 'p.txt', '-o', 'kept.arrows');
    await collector('import', 'p.txt', '-o', 'bare.arrows');
    writeFileSync('kept.arrows.gz', gzipSync(readFileSync('kept.arrows')));
    const taken = await collector('import', '--merge', 'a.txt', 'kept.arrows.gz', '-o', 'b.arrows');
    expect(taken).toMatchObject({ code: 0 });
    expect(await told('b.arrows')).toContain('12 cpu 0 prefetch vq 0 3');
    expect(await collector('import', '--merge', 'a.txt', 'bare.arrows')).toEqual({
      code: 2,
      out: '',
      err: expect.stringMatching(
        /^collector: bare\.arrows does not tell where its virtqueues lie .* unless every file tells of which processes its devices are, .* --keep-pointers, or merge the texts\n$/,
      ),
    });
    expect(existsSync('a.arrows')).toBe(false);
  });

  it('is as whole as its worst file, and losses add up', async () => {
    file('a.txt', ORACLE, 'A 20 0 1010 1 1 1', 'Lost 3 events');
    file('b.txt', ORACLE, 'P 30 0 1010 0 0 1 1', 'Lost 4 events', 'A bad', 'P 31 0 1010 0 0 1 1');
    await collector('import', '--keep-pointers', 'b.txt', '-o', 'b.arrows');
    writeFileSync('torn.arrows', readFileSync('b.arrows').subarray(0, -100));
    await collector('import', '--merge', 'a.txt', 'b.txt', '-o', 'ab.arrows');
    expect(await counts('ab.arrows')).toMatchObject({
      complete: false,
      lost: { bpftrace: '7', 'unreadable input': '1' },
    });
    const { err } = await collector('import', '--merge', 'a.txt', 'torn.arrows', '-o', 'at.arrows');
    expect(err).toMatch(/torn\.arrows: the last \d+ bytes/);
    expect(await counts('at.arrows')).toMatchObject({
      complete: false,
      lost: { bpftrace: '7', 'unreadable input': '1' },
      flaws: [expect.stringMatching(/^torn\.arrows: the last \d+ bytes/)],
    });
  });

  it('asks how a clock stands that is not known, and believes the answer', async () => {
    accesses('a.txt');
    perf('perf.txt');
    expect(await collector('import', '--merge', 'a.txt', 'perf.txt')).toMatchObject({
      code: 2,
      err: expect.stringMatching(
        /^collector: the clock of perf\.txt is not known: --offset perf\.txt=… says [^;]*; or say it of every other file instead/,
      ),
    });
    const offset = ['--offset', 'perf.txt=+15ns'];
    expect(await collector('import', '--merge', 'a.txt', 'perf.txt', ...offset)).toMatchObject({
      code: 0,
    });
    expect(await told('a.arrows')).toContain('45 cpu 1 range_start dev 0 4');
    const trace = await openTrace('a.arrows');
    expect(trace.index.header).toMatchObject({
      clock: 'CLOCK_BOOTTIME',
      merged: {
        hosts: 'one',
        sources: [{ isPicked: false }, { clockOffset: '15', isPicked: true }],
      },
    });
    trace.close();
  });

  it.each([
    [
      'microseconds beside nanoseconds',
      '1.000030',
      /times in whole microseconds, and others have nanoseconds/,
    ],
    ['an event before the time 0', '0.000000030', /before the time 0/],
  ])('refuses %s', async (_, time, why) => {
    accesses('a.txt');
    perf('perf.txt', time);
    const { code, err } = await collector(
      'import',
      '--merge',
      'a.txt',
      'perf.txt',
      '--offset',
      'perf.txt=-1s',
    );
    expect(code).toBe(2);
    expect(err).toMatch(why);
  });

  it('refuses a stock host beside one with the direct-map driver', async () => {
    accesses('a.txt');
    file('s.txt', STOCK, 'M 10 0 1010');
    const { code, err } = await collector('import', '--merge', 's.txt', 'a.txt');
    expect(code).toBe(2);
    expect(err).toMatch(/s\.txt is of a stock host, and a\.txt of one with the direct-map driver/);
  });

  it('refuses a recording in which nothing happened, and says that this is so', async () => {
    accesses('a.txt');
    const merged = async (): Promise<Outcome> =>
      collector('import', '--merge', 'a.txt', 'empty.arrows');
    emptyRecording('empty.arrows', []);
    expect(await merged()).toEqual({
      code: 2,
      out: '',
      err: 'collector: nothing happened while empty.arrows was recorded: there is nothing to merge; merge the others without it\n',
    });
    emptyRecording('empty.arrows', ['bpftrace was killed']);
    expect((await merged()).err).toContain(
      'empty.arrows was recorded and holds no event, but it is not known whether that is all: ',
    );
    expect(existsSync('a.arrows')).toBe(false);
  });

  it('refuses files of several recordings', async () => {
    accesses('a.txt');
    file('b.txt', ORACLE, 'M 10 0 1010', ORACLE, 'M 20 0 1010');
    const { code, err } = await collector('import', '--merge', 'a.txt', 'b.txt');
    expect(code).toBe(2);
    expect(err).toMatch(/b\.txt holds 2 recordings/);
  });
});

describe('of different hosts', () => {
  it('keeps apart what has the same numbers on each', async () => {
    file(
      'a.txt',
      STOCK,
      'V 1 0 1010 1000 42 0 1',
      'K 30 0 42 1 7f0000000000 7f0000001000 1 1 42 - ksmd',
    );
    file(
      'b.txt',
      STOCK,
      'V 1 0 1010 1000 42 0 1',
      'K 30 0 42 1 7f0000000000 7f0000001000 1 1 42 - ksmd',
    );
    const args = ['import', '--merge', '--different-hosts', 'a.txt', 'b.txt'];
    expect(await collector(...args)).toMatchObject({
      code: 2,
      err: expect.stringMatching(/every host has a clock of its own: --offset b\.txt=…/),
    });
    expect(await collector(...args, '--offset', 'b.txt=1ns')).toMatchObject({ code: 0 });
    const trace = await openTrace('a.arrows');
    const owners: number[] = [];
    visitTrace(trace.fd, trace.index, ({ kind, detail, details, cpu }, from, to) => {
      for (let row = from; row < to; row++) {
        const at = detail[row] ?? 0;
        if (EVENT_NAMES[kind[row] ?? 0] === 'core_range_start')
          owners.push(cpu, details.owner[at] ?? 0, details.pid[at] ?? 0);
      }
    });
    trace.close();
    expect(owners).toEqual([0, 42, 42, 1, 42 + 4_194_304, 42 + 4_194_304]);
  });
});

it('lets a signal be heard while a file is gone through', async () => {
  const lines = Array.from({ length: 100_000 }, (_, at) => `A ${at + 20} 0 1010 1 1 1`);
  const trace = await openTrace(file('a.txt', ORACLE, 'M 10 0 1010', ...lines));
  const stop = new Error('stop');
  let heard = 0;
  await expect(
    surveySource({ name: 'a.txt', trace, offset: undefined }, (read) => {
      heard = read;
      return read > 20_000 ? Promise.reject(stop) : undefined;
    }),
  ).rejects.toBe(stop);
  expect(heard).toBeLessThan(60_000);
  trace.close();
});

describe('options', () => {
  it.each([
    [['--merge', 'a.txt'], /--merge takes two files or more/],
    [['--merge', 'a.txt', 'a.txt'], /a\.txt is named twice/],
    [['--offset', 'a.txt=0', 'a.txt', 'b.txt'], /--offset is for --merge/],
    [['--different-hosts', 'a.txt', 'b.txt'], /--different-hosts is for --merge/],
    [['--merge', 'a.txt', 'empty.txt'], /empty\.txt is empty/],
    [['--merge', 'a.txt', 'none.txt'], /cannot read none\.txt: no such file/],
    [['--merge', 'a.txt', 'b.txt', '-o', 'b.txt'], /b\.txt is an input and the output/],
  ])('%j', async (args, why) => {
    accesses('a.txt');
    ranges('b.txt');
    writeFileSync('empty.txt', '');
    const { code, err } = await collector('import', ...args);
    expect(code).toBe(2);
    expect(err).toMatch(why);
    expect(existsSync('a.arrows')).toBe(false);
  });
});
