/** What a user gets wrong, or a file: a sentence with what to do, exit 2, and nothing on stdout. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { assert, asyncProperty, nat } from 'fast-check';
import { DESIGNS } from '@vhostscope/model';
import { describe, expect, it } from 'vitest';
import { verifyResultSchema } from '../src/verify-result.ts';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace, writeTrace } from './traces.ts';

const folder = temporaryFolder();
const good = trace('u5').path;

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const PERF_JSON = `${JSON.stringify({
  'linux-perf-json-version': 1,
  headers: { 'header-version': 1, 'captured-on': '2026-01-01' },
  samples: [{ timestamp: 1, pid: 1, comm: 'vhost-1', callchain: [] }],
})}\n`;

const anElf = Buffer.concat([
  Buffer.from('\u007fELF\u0002\u0001\u0001\u0000', 'latin1'),
  Buffer.alloc(5000, 7),
]);

describe('wrong usage', () => {
  it.each<[string, string[], RegExp]>([
    [
      'an unknown option',
      ['run', '--desing', 'merged', good],
      /unknown option '--desing'\n\(Did you mean --design\?\)\n/,
    ],
    ['an unknown command', ['rnu', good], /unknown command 'rnu'\n\(Did you mean run\?\)\n/],
    ['no trace', ['run'], /missing required argument 'trace'\n/],
    ['two traces', ['run', good, good], /too many arguments.*\n/],
    [
      'an unknown order',
      ['run', '--order', 'time', good],
      /'time' is invalid.*auto, effects, ranges/,
    ],
    [
      'an unknown preemption',
      ['run', '--preempt', 'none', good],
      /'none' is invalid.*voluntary, full, unknown/,
    ],
    [
      'unknown handlers',
      ['check', '--handlers', 'vsock', good],
      /'vsock' is invalid.*net, net_rx, net_tx, any/,
    ],
    ['an option without its value', ['run', good, '--design'], /argument missing/],
  ])('%s', async (_what, args, said) => {
    const { code, out, err } = await replay(...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(said);
    expect(err).toMatch(/^replay: /);
    expect(err).toMatch(/replay: see `replay.* --help`\n$/);
    expect(err.trimEnd().split('\n').length).toBeLessThanOrEqual(3);
  });

  it('no command: the help, on stderr', async () => {
    const { code, out, err } = await replay();
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(/^Usage: replay /);
  });

  it.each([
    [
      ['--kernel', '6.2'],
      'there are no rules of a kernel "6.2"\nreplay: there are those of: 5.3, 5.18, 6.1',
    ],
    ...['0', '-1', '32769', '1e3', 'two', ''].map((text): [string[], string] => [
      [`--chain-length=${text}`],
      `--chain-length takes auto, any, or 1 to 32768, not "${text}"`,
    ]),
  ])('check %s is answered with what there is, before the trace is read', async (args, said) => {
    const { code, out, err } = await replay('check', ...args, '/does/not/exist');
    expect({ code, out, err }).toEqual({ code: 2, out: '', err: `replay: ${said}\n` });
  });

  it('an unknown design is answered with the designs, before the trace is read', async () => {
    const { code, out, err } = await replay('run', '--design', 'mergd', '/does/not/exist');
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toBe(
      `replay: no design is called "mergd"\nreplay: the designs are: ${DESIGNS.map(({ name }) => name).join(', ')}\n`,
    );
  });
});

describe('replay schema', () => {
  it.each(['run', 'verify', 'check', 'storms', 'hazards', 'fleet', 'info'])(
    '%s: the keys that its document has',
    async (command) => {
      const { code, out, err } = await replay('schema', command);
      expect({ code, err }).toEqual({ code: 0, err: '' });
      const { properties, required } = JSON.parse(out) as {
        properties: object;
        required: string[];
      };
      const printed = JSON.parse((await replay(command, '--json', good)).out) as object;
      expect(Object.keys(printed)).toEqual(Object.keys(properties));
      expect(required).toEqual(Object.keys(properties));
    },
  );

  it('of something else: the choices', async () => {
    expect((await replay('schema', 'verifi')).err).toMatch(/\(Did you mean verify\?\)/);
    const { code, err } = await replay('schema', 'judge');
    expect(code).toBe(2);
    expect(err).toMatch(
      /'judge' is invalid.*run, verify, explain, check, storms, hazards, compare, fleet, designs, export, ndjson, report, info/,
    );
  });
});

describe.each(['run', 'verify', 'check', 'info'])('%s refuses', (command) => {
  it.each<[string, () => string, RegExp]>([
    ['a missing file', () => join(folder, 'nope'), /cannot read .*nope: no such file/],
    ['a directory', () => folder, /cannot read .*: is a directory/],
    ['an empty file', () => file('empty', ''), /empty is empty/],
    ['an empty gzip file', () => file('empty.gz', gzipSync('')), /empty\.gz is empty/],
    [
      'half a gzip header',
      () => file('half.gz', gzipSync('A').subarray(0, 6)),
      /half\.gz is empty \(.*cut off/,
    ],
    ['only a header line', () => file('header', '# vhost-oracle 1\n'), /no events in .*header/],
    [
      'perf as JSON',
      () => file('perf.json', PERF_JSON),
      /no events in .*perf\.json: it is the JSON of perf data convert, .*\nreplay: expected a trace file, or vhost events as/,
    ],
    [
      'prose',
      () => file('prose', 'It was a dark\nand stormy night.\n'),
      /no events in .*prose \(2 lines\)/,
    ],
    ['a binary', () => file('binary', anElf), /no events in .*binary/],
    [
      'an Arrow magic and no more',
      () => file('magic', Buffer.alloc(4, 0xff)),
      /magic: the file is cut off at byte 4, within its header/,
    ],
    [
      'a trace without events',
      () => {
        const path = join(folder, 'none.arrows');
        writeTrace(path, []);
        return path;
      },
      /no events in .*none\.arrows/,
    ],
  ])('%s', async (_what, make, said) => {
    const { code, out, err } = await replay(command, make());
    expect(err).toMatch(said);
    expect(err).toMatch(/^(replay: .*\n){1,2}$/);
    expect(err).not.toMatch(/unexpected|bug|\bat .*:\d+/);
    expect({ code, out }).toEqual({ code: 2, out: '' });
  });
});

describe('effects that the trace lacks', () => {
  const whole = textOf('s1');
  const without = whole.replace(/^(IS|IE) .*\n/gm, '');
  const lackingOne = whole.replace(/^IS .*\n/m, '');

  it.each([
    [without, /the trace has no recorded effects \(IS, IE\)/],
    [lackingOne, /1 effect \(IS, IE\) that the ranges call for/],
  ])('--order effects is refused, with what to use instead', async (text, said) => {
    const { code, out, err } = await replay(
      'verify',
      '--order',
      'effects',
      file('lacks.txt', text),
    );
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(said);
    expect(err).toMatch(/^replay: .*\nreplay: use --order ranges.*\n$/);
  });

  it.each(['s1', 'u1'])('%s: one that is lost is missed, or does no harm', async (name) => {
    const lines = textOf(name).split('\n');
    // The last end of an area may still be under way when the recording ends: its effect may be
    // lacking without having been lost.
    const last = new Map(
      [...lines.entries()].map(([at, line]) => [/^IE \d+ \d+ (\S+ \d) /.exec(line)?.[1], at]),
    );
    const effects = [...lines.keys()].filter(
      (at) => /^(IS|IE) /.test(lines[at] ?? '') && ![...last.values()].includes(at),
    );
    await assert(
      asyncProperty(nat(effects.length - 1), async (which) => {
        const lost = lines.toSpliced(effects[which] ?? 0, 1);
        const path = file('lost-one.txt', lost.join('\n'));
        const { code, out } = await replay('verify', '--json', '--order', 'effects', path);
        if (code === 2) return;
        expect(JSON.parse(out)).toMatchObject({ disagree: 0 });
      }),
      { numRuns: 10 },
    );
  });

  it('by default ranges are used, and the output says why', async () => {
    const path = file('lacks.txt', without);
    const { code, out, err } = await replay('verify', '--json', path);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(verifyResultSchema.parse(JSON.parse(out))).toMatchObject({
      order: 'ranges',
      order_reason: 'the trace has no recorded effects (IS, IE)',
      disagree: 0,
    });
    expect((await replay('run', path)).out).toMatch(
      /^order {7}ranges: the trace has no recorded effects \(IS, IE\)$/m,
    );
  });

  it('--order ranges is obeyed where effects are there', async () => {
    const { out } = await replay('run', '--json', '--order', 'ranges', trace('s1').path);
    expect(JSON.parse(out)).toMatchObject({ order: 'ranges', order_reason: 'as asked for' });
  });
});

describe('--design copy', () => {
  it('is not in need of an order, and says so', async () => {
    const { out } = await replay('run', '--design', 'copy', trace('s3').path);
    expect(out).toMatch(/^order {7}ranges: the design maps nothing, so it does not matter$/m);
    expect(out).not.toMatch(/^preemption/m);
    expect(out).toMatch(/^1,093 rounds; 1,970 invalidations, 484 of them over a ring$/m);
  });

  it('falls back at every access, and maps nothing', async () => {
    const { code, out } = await replay('run', '--json', '--design', 'copy', trace('s3').path);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      totals: {
        accesses: 13_316,
        hits: 0,
        fallbacks: 13_316,
        ambiguous: 0,
        reasons: { never_maps: 13_316 },
      },
      prefetch: { built: 0, refused_count: 0 },
      rounds: 1093,
    });
  });

  it('does not decide as a kernel with the direct map did', async () => {
    const { code, out } = await replay('verify', '--json', '--design', 'copy', trace('s3').path);
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ accesses: { disagree: 1468, agree: 11_848 } });
  });
});
