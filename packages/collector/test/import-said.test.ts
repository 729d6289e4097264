/** What `collector import` says of what it read: as a document, and by its exit code. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { importResultSchema } from '../src/import-result-schema.ts';
import { file, SMALL } from './small-input.ts';
import { collector } from './in-process.ts';
import { inOwnFolders } from './own-folders.ts';
import { example } from './traces.ts';

inOwnFolders();

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
