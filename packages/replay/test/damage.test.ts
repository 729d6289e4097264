/** Damaged input: read up to or around the damage, said on stderr, and in one JSON document. */
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { indexTrace, type BatchPlace } from '@vhostscope/trace';
import { describe, expect, it } from 'vitest';
import { checkResultSchema } from '../src/check-result.ts';
import { explainResultSchema } from '../src/explain-result.ts';
import { infoResultSchema } from '../src/info-result.ts';
import { runResultSchema, type RunResult } from '../src/run-result.ts';
import { verifyResultSchema } from '../src/verify-result.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace, writeTrace } from './traces.ts';

const folder = temporaryFolder();
const SCHEMAS = {
  run: runResultSchema,
  verify: verifyResultSchema,
  explain: explainResultSchema,
  check: checkResultSchema,
  info: infoResultSchema,
};
const COMMANDS = Object.keys(SCHEMAS) as (keyof typeof SCHEMAS)[];

/** A command and the options that it needs. */
const withOptions = (command: string): string[] =>
  command === 'explain' ? ['explain', '--access', '5'] : [command];

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, typeof content === 'string' ? Buffer.from(content, 'latin1') : content);
  return path;
}

/** A trace file with its second half, from a place within a batch, missing. */
function tornTrace(): string {
  const path = join(folder, 'torn.arrows');
  writeTrace(path, [textOf('d1')]);
  truncateSync(path, readFileSync(path).length >> 1);
  return path;
}

const lines = textOf('s3').split('\n');

/** s3 with lines after its hundredth. */
const withLines = (name: string, ...added: readonly string[]): string =>
  file(name, [...lines.slice(0, 100), ...added, ...lines.slice(100)].join('\n'));

/** What is damaged, how, what is said; and the trace of which every event can still be read, if one. */
const DAMAGED: readonly (readonly [string, () => string, RegExp, 's3' | 'u5' | undefined])[] = [
  [
    'a gzip stream that is cut off',
    () => file('cut.gz', readFileSync(trace('d1').path).subarray(0, 300_000)),
    /cut\.gz: the gzip stream is cut off at byte 300000/,
    undefined,
  ],
  [
    'a gzip stream with damage in the middle',
    () => {
      const bytes = gzipSync(textOf('d1'));
      bytes.fill(0xff, bytes.length >> 1, (bytes.length >> 1) + 64);
      return file('damaged.gz', bytes);
    },
    /damaged\.gz: the gzip stream is damaged at byte \d+ \(.*\): what follows was left out/,
    undefined,
  ],
  [
    'a text that ends within a line',
    () => file('ends.txt', textOf('s3').slice(0, -5)),
    /ends\.txt: 1 line could not be read, the first is line 23466 \(byte \d+\): the input ends within/,
    undefined,
  ],
  [
    'lines that are no events',
    () => withLines('lines.txt', 'A 1 2 x', 'M'),
    /lines\.txt: 2 lines could not be read, the first is line 101 \(byte \d+\): A: vq is out of range/,
    's3',
  ],
  [
    'a number out of range',
    () => withLines('range.txt', 'A 99999999999999999999 0 1010 1 1 1'),
    /range\.txt: 1 line could not be read, the first is line 101 \(byte \d+\): A: time is out of range/,
    's3',
  ],
  [
    'an event of a dialect to come',
    () => withLines('unknown.txt', 'Q 40786429335 0 ffff894f868c0000 7'),
    /unknown\.txt: 1 line .* line 101 \(byte \d+\): Q: an event that this version does not know/,
    's3',
  ],
  [
    'a hole of zeros, as a crash leaves it',
    () => withLines('hole.txt', '\0'.repeat(70_000)),
    /hole\.txt: 1 line .* line 101 \(byte \d+\): holds zero bytes/,
    's3',
  ],
  [
    'a line of some megabytes',
    () => withLines('long.txt', 'x'.repeat(3_000_000)),
    /long\.txt: 1 line could not be read, the first is line 101 \(byte \d+\): not readable: overlong/,
    's3',
  ],
  [
    'something after a gzip stream',
    () => file('after.gz', Buffer.concat([gzipSync(textOf('s3')), Buffer.from('more')])),
    /after\.gz: from byte \d+ on there is something after the end of the gzip stream/,
    's3',
  ],
  [
    'a gzip stream with a wrong checksum',
    () => {
      const bytes = gzipSync(textOf('s3'));
      bytes[bytes.length - 8] ^= 1;
      return file('checksum.gz', bytes);
    },
    /checksum\.gz: the checksum at byte \d+ of the gzip stream is wrong: what was read may be wrong too/,
    's3',
  ],
  [
    'a trace file with something after its end',
    () => {
      const path = join(folder, 'after.arrows');
      writeTrace(path, [textOf('u5')]);
      appendFileSync(path, 'xyz');
      return path;
    },
    /after\.arrows: 3 bytes after the trace's end, from byte \d+, were left out/,
    'u5',
  ],
  [
    'a trace file that was cut off',
    tornTrace,
    /torn\.arrows: the last \d+ bytes, from byte \d+, are an unfinished batch and were left out/,
    undefined,
  ],
];

describe.each(DAMAGED)('%s', (_what, make, said, whole) => {
  it.skipIf(whole === undefined)('loses no event that is whole', async () => {
    const read = async (path: string): Promise<object> => {
      const { out } = await replay('run', '--json', path);
      const { totals, rounds, ranges } = runResultSchema.parse(JSON.parse(out));
      return { accesses: totals.accesses, rounds, starts: ranges.start, ends: ranges.end };
    };
    expect(await read(make())).toEqual(await read(trace(whole ?? '').path));
  });

  it.each(COMMANDS)(
    '%s reads the rest, says so, and exits 1 only with --strict',
    async (command) => {
      const path = make();
      const plain = await replay(...withOptions(command), '--json', path);
      expect(plain.err).toMatch(said);
      expect(plain.err).toMatch(/^(replay: .*\n)+$/);
      expect(plain.code).toBe(0);
      const result = SCHEMAS[command].parse(JSON.parse(plain.out));
      expect(result.complete).toBe(false);
      // The document says the same as stderr.
      expect(result.damage.join('\n')).toMatch(said);
      const strict = await replay(...withOptions(command), '--json', '--strict', path);
      expect(strict).toEqual({ ...plain, code: 1 });
      const text = await replay(...withOptions(command), path);
      expect(text.out).toMatch(/^complete {4}NO/m);
    },
  );
});

it('--strict is silent about a whole trace, and about lines that other programs printed', async () => {
  expect(await replay('verify', '--strict', trace('u5').path)).toMatchObject({ code: 0, err: '' });
  const noisy = file('noisy.txt', ['Attaching 12 probes...', ...lines, 'bye', ''].join('\n'));
  const { code, err } = await replay('run', '--strict', noisy);
  expect(code).toBe(0);
  expect(err).toMatch(/^replay: .*noisy\.txt: 1 line held no event, the first is line 23471 .*\n$/);
});

it('events that bpftrace lost are said to be missing', async () => {
  const path = file(
    'lost.txt',
    [...lines.slice(0, 50), 'Lost 17 events', ...lines.slice(50)].join('\n'),
  );
  const { code, out, err } = await replay('run', '--json', path);
  expect(code).toBe(0);
  expect(err).toMatch(/lost 17 events \(bpftrace\)/);
  expect(runResultSchema.parse(JSON.parse(out))).toMatchObject({
    complete: false,
    lost: { bpftrace: '17' },
  });
});

it('a trace file with damage in the middle: it is named, with the byte', async () => {
  const path = join(folder, 'middle.arrows');
  writeTrace(path, [textOf('d1')]);
  const bytes = readFileSync(path);
  // More than a batch, so that the beginning of one is hit.
  bytes.fill(0xee, bytes.length >> 1, (bytes.length >> 1) + 1_500_000);
  writeFileSync(path, bytes);
  const { code, out, err } = await replay('run', path);
  expect(err).toMatch(/^replay: .*middle\.arrows: .*byte \d+.*\n/);
  expect(err).not.toMatch(/bug/);
  if (code !== 0) expect({ code, out }).toEqual({ code: 2, out: '' });
});

describe('a bit of an event that changed', () => {
  const text = textOf('s3');
  const whole = join(folder, 'unchanged.arrows');
  writeTrace(whole, [text]);
  const bytes = readFileSync(whole);

  /** Of two CPUs, all batches of events in the order of the file. */
  const places = ((): BatchPlace[] => {
    const fd = openSync(whole, 'r');
    const [{ events } = {}] = indexTrace(fd, bytes.length).recordings;
    closeSync(fd);
    return [...(events?.values() ?? [])]
      .flatMap((list) => [...list])
      .toSorted((a, b) => a.offset - b.offset);
  })();

  /** The trace with a bit of this batch changed. */
  function withChangedBit({ offset, metadataBytes }: BatchPlace): string {
    const path = join(folder, 'bit.arrows');
    const changed = Uint8Array.from(bytes);
    // The lowest bit of its first time: another time, as legal as this one.
    changed[offset + 8 + metadataBytes] ^= 1;
    writeFileSync(path, changed);
    return path;
  }

  const ofOne = places.filter(({ cpu }) => cpu === 1);
  const inTheMiddle = ofOne[ofOne.length >> 1] ?? expect.fail('no batch of CPU 1');

  it.each(COMMANDS)('%s tells up to there, and what was lost', async (command) => {
    const path = withChangedBit(inTheMiddle);
    const { code, out, err } = await replay(...withOptions(command), '--json', path);
    expect(code).toBe(0);
    const said =
      `bit.arrows: batch at byte ${inTheMiddle.offset} was changed (by its checksum): the file is damaged there, ` +
      'what its recording tells behind the last event that CPU 1 told before it was left out';
    expect(err.split(said)).toHaveLength(2);
    const result = SCHEMAS[command].parse(JSON.parse(out));
    expect(result.complete).toBe(false);
    expect(result.damage.join('\n')).toContain(said);
    expect(Number(result.lost['damage of the file'])).toBeGreaterThan(1000);
    expect((await replay(...withOptions(command), '--strict', path)).code).toBe(1);
  });

  /** Lines of events with their times, in the order of time. */
  const timed = text
    .split('\n')
    .filter((line) => /^[A-Z]/.test(line))
    .map((line) => ({ line, time: BigInt(line.split(' ')[1] ?? 0), cpu: line.split(' ')[2] }));

  it(
    'whichever batch it is in: what is told is what the whole trace says of that time',
    { timeout: 240_000 },
    async () => {
      const run = async (...args: readonly string[]): Promise<RunResult> =>
        runResultSchema.parse(JSON.parse((await replay('run', '--json', ...args)).out));
      const rowsBefore = new Map<number, number>();
      const all = (await run(whole)).totals.accesses;
      for (const place of places) {
        const path = withChangedBit(place);
        const before = rowsBefore.get(place.cpu) ?? 0;
        rowsBefore.set(place.cpu, before + place.rows);
        // Of this no text is to be made: nothing is told.
        if (before === 0) {
          const { code, out, err } = await replay('run', path);
          expect({ code, out }).toEqual({ code: 2, out: '' });
          expect(err).toMatch(
            `was left out, for nothing that CPU ${place.cpu} told before it is there\n`,
          );
          expect(err).toMatch(/\nreplay: no events in what can be read of .*bit\.arrows\n$/);
          continue;
        }
        const broken = await run(path);
        // The same events as text, of which none is missing.
        const last = timed.filter(({ cpu }) => cpu === String(place.cpu))[before - 1]?.time ?? 0n;
        const told = timed.filter(({ time }) => time <= last).map(({ line }) => line);
        const cut = await run(file('upto.txt', `# vhost-oracle 1\n${told.join('\n')}\n`));
        const ofTime = ({ totals, rounds, ranges }: RunResult): object => ({
          place,
          totals,
          rounds,
          ranges,
        });
        expect(ofTime(broken)).toEqual(ofTime(cut));
        expect(broken.totals.accesses).toBeLessThan(all);
        // What is not told is counted.
        expect(Number(broken.lost['damage of the file'])).toBe(timed.length - told.length);
      }
      expect(rowsBefore.size).toBe(2);
    },
  );

  it('an export of it is the same as one of what is left', async () => {
    const path = withChangedBit(inTheMiddle);
    const { code, out, err } = await replay('export', '--format', 'ndjson', path, '-o', '-');
    expect(err).toContain('was changed (by its checksum)');
    expect(code).toBe(0);
    const info = infoResultSchema.parse(JSON.parse((await replay('info', '--json', path)).out));
    const last = out.trim().split('\n').at(-1) ?? '';
    expect(last).toContain(info.recordings[0]?.last ?? 'nothing');
  });
});

it('info says whether there are checksums', async () => {
  const old = join(import.meta.dirname, '../../trace/test/fixtures/format-2.arrows');
  const now = join(folder, 'with-checksums.arrows');
  writeTrace(now, [textOf('u5')]);
  expect((await replay('info', now)).out).toMatch(/^checksums   all agree$/m);
  // Of text nothing is said of them.
  expect((await replay('info', trace('u5').path)).out).not.toContain('checksums');
  expect((await replay('info', old)).out).toMatch(
    /^checksums   none, as older formats have none: whether a byte was changed is not known$/m,
  );
});

it('a trace that was cut off before its first batch: both are said', async () => {
  const path = join(folder, 'first.arrows');
  writeTrace(path, [textOf('s1')]);
  truncateSync(path, 20_000);
  const { code, out, err } = await replay('run', path);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(
    /unfinished batch .*\nreplay: no events in what can be read of .*first\.arrows\n$/,
  );
});

it('a mismatch in a trace that lacks events may come from that, and the verdict says so', async () => {
  // Of s1 the invalidations stand at the end of the file.
  const path = file('half.txt', textOf('s1').slice(0, 1_000_000));
  const { code, out } = await replay('verify', path);
  expect(code).toBe(1);
  expect(out).toMatch(
    /^NO: .* contradict the model; events are missing, or may be, and that may be why$/m,
  );
});
