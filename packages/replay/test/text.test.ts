/** What people read. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DESIGNS } from '@vhostscope/model';
import { describe, expect, it } from 'vitest';
import { replay } from './in-process.ts';
import { temporaryFolder, textOf, trace, TRACES } from './traces.ts';

const folder = temporaryFolder();

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content, 'latin1');
  return path;
}

/** Without the line that holds the path. */
function body(out: string): string {
  return out.replace(/^trace .*\n/, '');
}

it('d1: the summary', async () => {
  const { out } = await replay('run', trace('d1').path);
  expect(body(out)).toMatchInlineSnapshot(`
    "design      merged: direct map as merged for 5.3 (7f466032dc9e, reverted by 3d2c7d370475)
    order       ranges: no invalidation is known to touch a ring: there were no effects to record
    preemption  not known of the recording kernel

    179,142 accesses: 179,138 direct-map hits (99.99 %), 4 fallbacks, 0 ambiguous
    1,540 rounds; 190 invalidations, none of them over a ring

    virtqueue     accessor         accesses     hits  fallbacks  ambiguous  hit ratio
    vq 0 (dev 0)  all                     3        1          2          0    33.33 %
                  get_used_idx            1        0          1          0     0.00 %
                  put_used_flags          2        1          1          0    50.00 %
    vq 1 (dev 0)  all               179,139  179,137          2          0    99.99 %
                  get_avail_idx       3,734    3,734          0          0   100.00 %
                  get_avail_head     83,128   83,128          0          0   100.00 %
                  get_avail_flags     2,131    2,131          0          0   100.00 %
                  get_used_idx            1        0          1          0     0.00 %
                  get_desc           83,128   83,128          0          0   100.00 %
                  put_used            2,397    2,397          0          0   100.00 %
                  put_used_flags      2,489    2,488          1          0    99.95 %
                  put_used_idx        2,131    2,131          0          0   100.00 %

    why not the direct map: 4 accesses
      4  100.00 %  not_set_up  no round has mapped the area since the ring was set up or reset

    attempts to map an area: 6
      6  100.00 %  built  the area is mapped from then on

    packets per second, by the cost model: vq 1, 2.2 accesses a packet
      Mpps      all copied  all mapped  this trace  ±1 access a packet
      SMAP on          5.2         6.4        6.40         5.96 … 6.40
      SMAP off         7.1         8.2        8.20         7.82 … 8.20
      from published rates, measured elsewhere, of small packets that a guest transmits; TCP_STREAM
      gained nothing when it was measured
      ±1 access a packet: the rate if the time that maps save a packet were spread over one access
      fewer, or one more, than this trace has: how far the model can be trusted
    "
  `);
});

it('s3: the summary', async () => {
  const { out } = await replay('run', '--order', 'effects', trace('s3').path);
  expect(body(out)).toMatchInlineSnapshot(`
    "design      merged: direct map as merged for 5.3 (7f466032dc9e, reverted by 3d2c7d370475)
    order       effects: every overlapping range has its effects

    13,316 accesses: 1,468 direct-map hits (11.02 %), 11,848 fallbacks, 0 ambiguous
    1,093 rounds; 1,970 invalidations, 484 of them over a ring

    virtqueue     accessor         accesses   hits  fallbacks  ambiguous  hit ratio
    vq 0 (dev 0)  all                 4,910  1,205      3,705          0    24.54 %
                  get_avail_idx          25      7         18          0    28.00 %
                  get_avail_head      1,739    291      1,448          0    16.73 %
                  get_avail_flags       457    160        297          0    35.01 %
                  get_used_idx           14      0         14          0     0.00 %
                  get_desc            1,739    359      1,380          0    20.64 %
                  put_used              462    193        269          0    41.77 %
                  put_used_flags         17      3         14          0    17.64 %
                  put_used_idx          457    192        265          0    42.01 %
    vq 1 (dev 0)  all                 8,406    263      8,143          0     3.12 %
                  get_avail_idx       1,498     56      1,442          0     3.73 %
                  get_avail_head      2,200     87      2,113          0     3.95 %
                  get_avail_flags       494     18        476          0     3.64 %
                  get_used_idx            8      0          8          0     0.00 %
                  get_desc            2,200     28      2,172          0     1.27 %
                  put_used              500     18        482          0     3.60 %
                  put_used_flags      1,012     38        974          0     3.75 %
                  put_used_idx          494     18        476          0     3.64 %

    why not the direct map: 11,848 accesses
      11,670  98.49 %  refused_count  mapping refused: invalidate_count was not 0 then
         118   0.99 %  invalidated    an invalidation removed the map in this round
          44   0.37 %  not_set_up     no round has mapped the area since the ring was set up or reset
          16   0.13 %  gup_short      get_user_pages returned too few pages
      11,439 fallbacks after a stuck count, which no range explains: replay hazards

    attempts to map an area: 2,621
      2,550  97.29 %  refused_count  mapping refused: invalidate_count was not 0 then
         66   2.51 %  built          the area is mapped from then on
          5   0.19 %  gup_short      get_user_pages returned too few pages

    who invalidates the rings: 484 invalidations
      causes clear 210, protection_vma 194, protection_page 80
      who chaos worker (pid 310) 311, vload (pid 310) 112, vhost-310 (pid 314) 61
      61 by threads named as vhost workers are: their own copies to a ring, mostly (copy on write),
      which a map would have spared

    packets per second, by the cost model: vq 1, 3.8 accesses a packet
      Mpps      all copied  all mapped  this trace  ±1 access a packet
      SMAP on          5.2         6.4        5.23         5.22 … 5.24
      SMAP off         7.1         8.2        7.13         7.12 … 7.14
      from published rates, measured elsewhere, of small packets that a guest transmits; TCP_STREAM
      gained nothing when it was measured
      ±1 access a packet: the rate if the time that maps save a packet were spread over one access
      fewer, or one more, than this trace has: how far the model can be trusted
    "
  `);
});

it('f1 under the merged rules: the first mismatches', async () => {
  const { out } = await replay('verify', trace('f1').path);
  expect(body(out).split('\n').slice(0, 20).join('\n')).toMatchInlineSnapshot(`
    "design      merged: direct map as merged for 5.3 (7f466032dc9e, reverted by 3d2c7d370475)
    order       effects: every overlapping range has its effects

    what the kernel decided          compared  agree  disagree  ambiguous
    accesses: direct map or not        13,292  7,901     5,391          0
    attempts to map: refused or not     2,193  1,634       559          0

    NO: 5,950 decisions of the kernel contradict the model; was merged the design of that kernel?

    line 1361, 15729375684 ns, cpu 1, vq 1, attempt to map desc
      the model: refused: invalidate_count is not 0
      the kernel: tried (result 14)
      what led there:
        line    time (ns)  cpu  event       area   invalidate_count
        1231  15633220494    0  effect_end  avail                 4
        1232  15633223914    0  effect_end  used                  3
        1343  15696372314    0  unmap                             3
        1344  15712478014    0  addresses   desc                  3
        1345  15712577074    0  addresses   avail                 3
        1346  15712586114    0  addresses   used                  3"
  `);
  expect(out).toMatch(/\n\nand 5,\d{3} more; --json explains the first 10\n$/);
});

it('u5: what the trace holds', async () => {
  const { out } = await replay('info', trace('u5').path);
  expect(out.replaceAll(/^(trace|from) .*\n/gm, '')).toMatchInlineSnapshot(`
    "format      text, as it was printed
    clock       CLOCK_BOOTTIME
    preemption  not known; if it was voluntary, --preempt voluntary lets run tell more
    complete    not known: what was emitted was not counted

    recording 0
      1.115 s, from 93645199626 to 94760277756 ns
      1 CPU: 0
      2 virtqueues in address order: vq 0 (dev 0), vq 1 (dev 0)
      event         count
      access        4,028
      round           318
      prefetch         71
      range_start      94
      range_end        94
      effect_start     50
      effect_end       50
      addresses        48
      unmap            22
      reset             4
      notifier         34
    "
  `);
});

it('two recordings: each row names its own, and a virtqueue without accesses has a row', async () => {
  const silent = '# vhost-oracle 1\nN 5 0 1000 1 0\nM 6 0 1010\nM 7 0 1020\nA 8 0 1010 1 0 1\n';
  const { out } = await replay('run', file('two.txt', textOf('s3') + silent));
  expect(out).toMatch(/^recording {2}virtqueue +accessor /m);
  expect(out).toMatch(/^ +0 {2}vq 1 \(dev 0\) {2}all +8,406 /m);
  expect(out).toMatch(/^ +1 {2}vq 2 \(dev 1\) {2}all +1 /m);
  expect(out).toMatch(/^ +1 {2}vq 3 \(dev 1\) {2}all +0 +0 +0 +0 +–$/m);
});

it('device IOTLB has a column where it is on', async () => {
  const text = '# vhost-oracle 1\nN 5 0 1000 1 0\nM 6 0 1010\nA 8 0 1010 1 2 1\nA 9 0 1010 1 2 1\n';
  const { out, code } = await replay('run', file('iotlb.txt', text));
  expect(code).toBe(0);
  expect(out).toMatch(
    /^2 accesses: 0 direct-map hits \(0\.00 %\), 0 fallbacks, 2 by device IOTLB, 0 ambiguous$/m,
  );
  expect(out).toMatch(/ {2}device IOTLB {2}/);
  expect(out).toMatch(/^ {2}2 {2}100\.00 % {2}iotlb /m);
});

it('a trace without observations has nothing to verify', async () => {
  const text = '# vhost-oracle 1\nN 5 0 1000 1 0\nM 6 0 1010\n';
  const { out, code } = await replay('verify', file('unseen.txt', text));
  expect(code).toBe(0);
  expect(out).toMatch(/\nnothing to compare: the trace does not say what the kernel decided\n$/);
});

it('a yes of a trace that lacks events says so', async () => {
  const whole = textOf('s3');
  const { out, code } = await replay('verify', file('lost.txt', `${whole}Lost 12 events\n`));
  expect(code).toBe(0);
  expect(out).toMatch(/\nyes: the model agrees .*; events of the trace are missing, or may be\n$/);
});

describe.each(TRACES)('$name', ({ path }) => {
  it.each(['run', 'verify', 'check', 'info'])(
    '%s: lines of at most 100 columns, without control codes',
    async (command) => {
      const { out, err } = await replay(command, path);
      expect(err).toBe('');
      const long = body(out)
        .split('\n')
        .filter((line) => line.length > 100 && !line.startsWith('from'));
      expect(long).toEqual([]);
      // eslint-disable-next-line no-control-regex -- that is what must not be there
      expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
      expect(out).not.toMatch(/[ \t]\n|\n\n\n/);
    },
  );
});

describe('--help', () => {
  it('tells the designs from their table', async () => {
    const { code, out, err } = await replay('run', '--help');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const names = DESIGNS.map(({ name }) => name).join(', ');
    expect(out.replaceAll(/\s+/g, ' ')).toContain(`design to replay: ${names} `);
  });

  it.each([
    'run',
    'verify',
    'explain',
    'check',
    'storms',
    'hazards',
    'export',
    'compare',
    'designs',
    'report',
    'info',
  ])('%s: of each option that takes a value, the default', async (command) => {
    const { out } = await replay(command, '--help');
    const [, text = ''] = /\nOptions:\n([\s\S]*?)(?:\n\n|$)/.exec(out) ?? [];
    const options = text
      .split(/\n(?= {2}-)/)
      .map((option) => option.replaceAll(/\s+/g, ' ').trim());
    const silent = options.filter(
      (option) => /^\S.*? <[^>]+> /.test(option) && !/default/.test(option),
    );
    // What an export is to be called has none, and is asked for.
    expect(silent.map((option) => option.split(' <')[0])).toEqual(
      command === 'export' ? ['-o, --output'] : [],
    );
  });

  it.each([
    ['--help'],
    ['run', '--help'],
    ['verify', '--help'],
    ['check', '--help'],
    ['info', '--help'],
    ['help', 'run'],
  ])('is printed on stdout: %s %s', async (...args) => {
    const { code, out, err } = await replay(...args);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^Usage: replay/);
  });

  it('--version', async () => {
    const { code, out, err } = await replay('--version');
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(
      /^\d+\.\d+\.\d+\S* \(trace format \d+, commit (?:[0-9a-f]{12}(?:\+changes)?|not known)\)\n$/,
    );
  });
});

describe('names that would harm a terminal', () => {
  const HOSTILE = '\u001b[31m\u009b2J\u202e\r\u0007';
  // eslint-disable-next-line no-control-regex -- that is what must not be there
  const HARMFUL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/;
  const range = (comm: string): string => `R 9 0 1000 1 1000 2000 0 1 77 ${comm}\n`;
  const text = (comm: string): string =>
    `# vhost-oracle 1\nN 5 0 1000 1 0\nU 6 0 1010 0 1000 100 0\nM 7 0 1010\n${range(comm)}A 10 0 1010 6 1 1\n`;
  const json = text('x').replaceAll(/^.*\n/gm, (line) => {
    const data = line.replace('77 x', `77 ${HOSTILE}`);
    return `{"type": "printf", "data": ${JSON.stringify(data)}}\n`;
  });

  it.each([
    ['raw in text', text('\u001b[31mroot')],
    ['escaped in text', text('\\x1b[31mroot')],
    ['in JSON', json],
    ['a line of its own', text('x') + HOSTILE + '\n'],
    ['a broken event', `${text('x')}A 1 2 ${HOSTILE}\n`],
  ])('a process name %s', async (_where, content) => {
    const path = file('hostile.txt', content);
    for (const command of ['run', 'verify', 'check', 'info']) {
      for (const form of [['--json'], []]) {
        const { out, err, code } = await replay(command, ...form, path);
        expect(code).toBeLessThan(2);
        expect(out).not.toMatch(HARMFUL);
        expect(err).not.toMatch(HARMFUL);
      }
    }
  });

  it('a file name', async () => {
    const path = file(`${HOSTILE}.txt`, text('x'));
    for (const args of [
      ['run', path],
      ['run', '--json', path],
      ['info', path],
      ['info', '--json', path],
      ['info', `${path}.not`],
    ]) {
      const { out, err } = await replay(...args);
      expect(out + err).toContain('[31m');
      expect(out + err).not.toMatch(HARMFUL);
    }
    const { out } = await replay('info', '--json', path);
    expect(JSON.parse(out)).toMatchObject({ trace: path });
  });
});
