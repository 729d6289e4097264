/** `replay check`: real traces whole, and with one access dropped, doubled or swapped. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ACCESSOR_RULE_SETS } from '@vhostscope/model';
import { assert, asyncProperty, constantFrom, nat } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkResultSchema, type CheckResult } from '../src/check-result.ts';
import { replay } from './in-process.ts';
import { expectedOf, temporaryFolder, textOf, TRACES } from './traces.ts';

const folder = temporaryFolder();

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, 'latin1');
  return path;
}

async function check(path: string, ...options: string[]): Promise<CheckResult & { code: number }> {
  const { code, out, err } = await replay('check', '--json', ...options, path);
  expect(err).toBe('');
  return { ...checkResultSchema.parse(JSON.parse(out)), code };
}

/** Without the line that holds the path. */
const body = (out: string): string => out.replace(/^trace .*\n/, '');

/** Under every rule set, and by any caller, all traces are held against the acceptor in the tests of the model. */
const OTHER_RULES = [
  ...ACCESSOR_RULE_SETS.map((rules) => ['--kernel', rules.name]),
  ['--handlers', 'any'],
  ['--chain-length', '1'],
];

describe.each(TRACES)('$name', ({ name, path }) => {
  const others = ['f1', 's3', 'u3'].some((short) => name.startsWith(short)) ? OTHER_RULES : [];

  it.each([[], ['--failures'], ...others].map((options) => ({ options })))(
    'is accepted whole: $options',
    async ({ options }) => {
      const { accesses } = expectedOf(name);
      const result = await check(path, ...options);
      expect(result).toMatchObject({ code: 0, rejected: 0, unusual_chains: 0, rejections: [] });
      expect(result).toMatchObject({ accesses, judged: accesses, accepted: accesses });
    },
  );
});

const isAccess = (line: string): boolean => line.startsWith('A ');

/** The lines with one access changed; undefined where it cannot be swapped with the next. */
function mutate(
  lines: readonly string[],
  at: number,
  mutation: string,
): readonly string[] | undefined {
  const line = lines[at] ?? '';
  if (mutation === 'dropped') return lines.toSpliced(at, 1);
  if (mutation === 'doubled') return lines.toSpliced(at, 0, line);
  const next = lines[at + 1] ?? '';
  const [a, b] = [line.split(' '), next.split(' ')];
  // Another virtqueue's, or the same again: no swap.
  const isSwap = isAccess(next) && a[3] === b[3] && a.slice(4).join(' ') !== b.slice(4).join(' ');
  if (!isSwap) return undefined;
  // What was done changes places; when it was done does not.
  const swapped = [a.slice(0, 4).concat(b.slice(4)), b.slice(0, 4).concat(a.slice(4))];
  return lines.toSpliced(at, 2, ...swapped.map((words) => words.join(' ')));
}

/** Lines of some traces, as far as a try need read. */
const beginnings = new Map(
  ['s3', 'u4', 'f1'].map((name) => [name, [...textOf(name).split('\n').slice(0, 6_000), '']]),
);

describe.each(['dropped', 'doubled', 'swapped'])('one access %s', (mutation) => {
  it('is found by default', { timeout: 60_000 }, async () => {
    let tried = 0;
    let found = 0;
    await assert(
      asyncProperty(constantFrom('s3', 'u4', 'f1'), nat(), async (name, seed) => {
        const lines = beginnings.get(name)!;
        const accesses = [...lines.keys()].filter((at) => isAccess(lines[at] ?? ''));
        const mutated = mutate(lines, accesses[seed % accesses.length] ?? 0, mutation);
        if (mutated === undefined) return;
        const { code, rejected, unusual_chains } = await check(file('m.txt', mutated.join('\n')));
        tried++;
        if (rejected + unusual_chains > 0) found++;
        expect(code).toBe(rejected + unusual_chains > 0 ? 1 : 0);
      }),
      { numRuns: 60, seed: 20_190_524 },
    );
    expect(tried).toBeGreaterThan(20);
    expect(found / tried).toBeGreaterThanOrEqual(0.95);
  });
});

const d1 = textOf('d1').split('\n');

it('a dropped access: what came, what could have come, what came before', async () => {
  // Of the index at the start of a round.
  const { out, code, err } = await replay(
    'check',
    file('dropped.txt', d1.toSpliced(89_999, 1).join('\n')),
  );
  expect({ code, err }).toEqual({ code: 1, err: '' });
  expect(body(out)).toMatchInlineSnapshot(`
    "kernel      6.1: Linux 6.1.192 and 6.12.117 (docs/kernel-rules.md §4, read in both)
    handlers    net: handle_rx or handle_tx of vhost-net, without busy polling and zero-copy
                transmission
    chains      auto: where 255 of 256 chains of a virtqueue have one length, all are assumed to have it

    virtqueue     accesses   judged  accepted  rejected  chains  descriptors  assumed  unusual
    vq 0 (dev 0)         3        3         3         0       0            –      any        0
    vq 1 (dev 0)   179,138  179,137   179,136         1  83,128            1        1        0

    not judged: 1 access
      before the first round, and from a rejection or a loss to the next round

    NO: the rules of 6.1 do not allow 1 event where it stands: there or before, accesses were lost that
        nobody reported, or what is assumed is not so (--kernel, --handlers, --failures, --chain-length)

    line 90000, 21331171414 ns, cpu 0, vq 1, access 88,831 of it: put_used_flags
      possible there: get_avail_idx
      before it:
         line    time (ns)  cpu  event            entries
        89988  21330989657    0  get_avail_head
        89989  21330992865    0  get_desc
        89990  21330996902    0  get_avail_head
        89991  21331000003    0  get_desc
        89992  21331003863    0  get_avail_head
        89993  21331007016    0  get_desc
        89994  21331010981    0  get_avail_head
        89995  21331014078    0  get_desc
        89996  21331141219    0  put_used              64
        89997  21331148479    0  put_used_idx
        89998  21331152471    0  get_avail_flags
        89999  21331159343    0  round
    "
  `);
});

describe('a doubled descriptor', () => {
  const at = d1.findIndex((line, place) => place > 87_000 && / 6 [01] 1$/.test(line));
  const path = file('doubled.txt', d1.toSpliced(at, 0, d1[at] ?? '').join('\n'));

  it('is a chain of unusual length, and the assumption is named', async () => {
    const { out, code, err } = await replay('check', path);
    expect({ code, err }).toEqual({ code: 1, err: '' });
    expect(body(out)).toMatchInlineSnapshot(`
      "kernel      6.1: Linux 6.1.192 and 6.12.117 (docs/kernel-rules.md §4, read in both)
      handlers    net: handle_rx or handle_tx of vhost-net, without busy polling and zero-copy
                  transmission
      chains      auto: where 255 of 256 chains of a virtqueue have one length, all are assumed to have it

      virtqueue     accesses   judged  accepted  rejected  chains  descriptors  assumed  unusual
      vq 0 (dev 0)         3        3         3         0       0            –      any        0
      vq 1 (dev 0)   179,140  179,140   179,140         0  83,128          1…2        1        1

      NO: the rules of 6.1 allow the accesses, but 1 chain is of unusual length: an access is missing or
          doubled, or the driver made an exception (--chain-length any allows it)

      vq 1 (dev 0): assumed: chains of 1 descriptor, as in 83,127 of 83,128 chains; with chains of any
        length this is possible

      line 87004, 21279207398 ns, cpu 0, vq 1, access 85,859 of it: the last get_desc of a chain of 2
        before it:
           line    time (ns)  cpu  event           entries
          86993  21279170003    0  get_desc
          86994  21279174258    0  get_avail_head
          86995  21279177482    0  get_desc
          86996  21279181684    0  get_avail_head
          86997  21279184919    0  get_desc
          86998  21279189261    0  get_avail_head
          86999  21279192539    0  get_desc
          87000  21279196798    0  get_avail_head
          87001  21279200015    0  get_desc
          87002  21279204185    0  get_avail_head
          87003  21279207398    0  get_desc
      "
    `);
    const result = await check(path);
    expect(result).toMatchObject({ rejected: 0, unusual_chains: 1, accepted: result.accesses });
    expect(result.first_unusual_chains).toMatchObject([{ descriptors: 2, line: at + 2, vq: 1 }]);
  });

  it('is what the rules allow, and nothing is said with --chain-length any', async () => {
    const { out, code } = await replay('check', '--chain-length', 'any', path);
    expect(code).toBe(0);
    expect(out).toMatch(/\n\nyes: the rules of 6\.1 allow all 179,143 accesses\n$/);
  });

  it('is rejected where chains are said to have one', async () => {
    const result = await check(path, '--chain-length', '1');
    expect(result).toMatchObject({ code: 1, rejected: 1, unusual_chains: 0, chain_length: 1 });
    expect(result.rejections).toMatchObject([{ found: 'get_desc', line: at + 2 }]);
  });
});

it('the number of a rejected access is what explain takes', async () => {
  const path = file('explained.txt', d1.toSpliced(89_999, 1).join('\n'));
  const [rejection] = (await check(path)).rejections;
  const { vq, access, line } = rejection ?? { vq: -1, access: 0, line: 0 };
  const explained = await replay(
    'explain',
    '--json',
    '--vq',
    `${vq}`,
    '--access',
    `${access}`,
    path,
  );
  expect(JSON.parse(explained.out)).toMatchObject({ event: { line, accessor: rejection?.found } });
});

it('many rejections: the first are explained, the others counted', async () => {
  const lines = textOf('s3').split('\n');
  const thinned = lines.filter((line, at) => !isAccess(line) || at % 50 !== 0);
  const path = file('many.txt', thinned.join('\n'));
  const result = await check(path);
  expect(result.rejected).toBeGreaterThan(100);
  expect(result.rejections).toHaveLength(8);
  const { out } = await replay('check', path);
  expect(out.match(/^line \d+, /gm)).toHaveLength(3);
  expect(out).toMatch(/\n\nand \d+ rejections more; --json explains 8\n/);
});

describe('what cannot be judged', () => {
  const begin = '# vhost-oracle 1\nN 5 0 1000 1 0\n';

  it('a trace without accesses', async () => {
    const { out, code } = await replay('check', file('none.txt', `${begin}M 6 0 1010\n`));
    expect(code).toBe(0);
    expect(out).toMatch(/\n\nnothing to check: the trace holds no accesses\n$/);
  });

  it('accesses without a round', async () => {
    const path = file('start.txt', `${begin}A 6 0 1010 6 0 1\nA 7 0 1010 6 0 1\n`);
    const { out, code } = await replay('check', path);
    expect(code).toBe(0);
    expect(body(out).split('\n').slice(-6).join('\n')).toMatchInlineSnapshot(`
      "
      not judged: 2 accesses
        vq 0 (dev 0): no round and no reset of it shows where its accesses begin

      nothing was judged
      "
    `);
  });

  it('after events that are known to be lost, up to the next round', async () => {
    const lines = textOf('s3').split('\n');
    const at = lines.findIndex((line, place) => place > 9_000 && isAccess(line));
    const lossy = lines.toSpliced(at, 40, 'Lost 40 events');
    const { out, code, err } = await replay('check', file('lossy.txt', lossy.join('\n')));
    expect(err).toMatch(/lost 40 events/);
    expect(code).toBe(0);
    expect(out).toMatch(
      /^complete {4}NO: events are missing, or may be; what follows a known loss/m,
    );
    expect(out).toMatch(/^not judged: [\d,]+ access(es)?\n {2}before the first round, and/m);
    expect(out).toMatch(/\nyes: .* that were judged\n$/);
    const strict = await replay('check', '--strict', file('lossy.txt', lossy.join('\n')));
    expect(strict.code).toBe(1);
  });
});

it('two recordings: each is judged from its own beginning', async () => {
  const two = file('two.txt', textOf('s3') + textOf('u4'));
  const result = await check(two);
  expect(result).toMatchObject({ code: 0, rejected: 0, judged: result.accesses });
  expect((await replay('check', two)).out).toMatch(/^recording {2}virtqueue +accesses /m);
});

it('vhost-net with the device IOTLB: a miss ends a round', async () => {
  const seen = (letters: string, iotlb: number): string => {
    const numbers: Readonly<Record<string, string>> = { i: '1', h: '2', d: '6', f: '9', x: '10' };
    return letters
      .split('')
      .map((letter, at) => {
        const time = 100 + at;
        if (letter === '|') return `M ${time} 0 1010\n`;
        if (letter === 'Z') return `Z ${time} 0 1010\n`;
        return `A ${time} 0 1010 ${numbers[letter] ?? '3'} ${iotlb} 1\n`;
      })
      .join('');
  };
  const begin = '# vhost-oracle 1\nN 5 0 1000 1 0\n';
  const letters = 'Z|fifi||fifi';
  expect(await check(file('iotlb.txt', begin + seen(letters, 2)))).toMatchObject({ rejected: 0 });
  const off = await check(file('off.txt', begin + seen(letters, 0)));
  expect(off).toMatchObject({ code: 1 });
});
