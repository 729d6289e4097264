/** `replay fleet` as users run it. The processes run the built program, so that this needs a build. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fleetResultSchema, replayedOf } from '../src/fleet/fleet-result.ts';
import { BIN, replayProcess, shell } from './child-process.ts';
import { replay } from './in-process.ts';
import { readOpenMetrics } from './open-metrics-reader.ts';
import { temporaryFolder, textOf, trace, writeTrace } from './traces.ts';

const top = temporaryFolder();
let folders = 0;

/** A folder of copies of real traces, by the names that they get. */
function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = join(top, `f${folders++}`);
  mkdirSync(folder);
  for (const [name, of] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    copyFileSync(trace(of).path, join(folder, name));
  }
  return folder;
}

const TWO = { 'web/s3.txt.gz': 's3', 'db.txt.gz': 'd1' };

async function fleet(...args: string[]) {
  const { code, out, err } = await replay('fleet', '--json', ...args);
  return { code, err, result: fleetResultSchema.parse(JSON.parse(out)) };
}

describe('replay fleet', () => {
  it('sums up what it finds, and tells it for people', async () => {
    const { code, out, err } = await replay('fleet', '--preempt', 'voluntary', folderOf(TWO));
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatchInlineSnapshot(`
      "fleet       2 runs of 2 hosts; 8.775 s recorded in all
      design      merged: direct map as merged for 5.3 (7f466032dc9e, reverted by 3d2c7d370475)
      order       effects [1 of 2 runs], ranges [1 of 2 runs]
      preemption  voluntary in the recording kernel [1 of 2 runs]

      192,458 accesses: 180,606 direct-map hits (93.84 %), 11,852 fallbacks, 0 ambiguous
      2,633 rounds

      host  recorded  accesses  hit ratio  fallbacks  ambiguous  storms  complete
      db     6.280 s   179,142    99.99 %          4     0.00 %       0  not known
      web    2.495 s    13,316    11.02 %     11,848     0.00 %       1  not known
      all    8.775 s   192,458    93.84 %     11,852     0.00 %       1

      virtqueues that lose the most hits
      host  run        virtqueue     fallbacks  accesses  hit ratio  mostly
      web   s3.txt.gz  vq 1 (dev 0)      8,143     8,406     3.12 %  refused_count
      web   s3.txt.gz  vq 0 (dev 0)      3,705     4,910    24.54 %  refused_count
      db    db.txt.gz  vq 0 (dev 0)          2         3    33.33 %  not_set_up
      db    db.txt.gz  vq 1 (dev 0)          2   179,139    99.99 %  not_set_up

      1 storm in 1 run: 100 ranges or more over rings of a device in a second, or one under way for more
      than a tenth of it
      in storms 484 ranges and 13,086 accesses, of which 9.66 % hit and 11,821 fell back; replay storms
      tells those of a trace
      cause            ranges    share  storms
      clear               210  43.38 %       1
      protection_vma      194  40.08 %       1
      protection_page      80  16.52 %       1
      "
    `);
  });

  it('marks designs that hit at a price which no figure has', async () => {
    const folder = folderOf({ 'web.txt.gz': 's3' });
    const { out } = await replay('fleet', '--design=merged,vmap-v1', folder);
    expect(out).toMatch(
      /\npins {8}vmap-v1: the price of its hits is that the pages of every ring are pinned/,
    );
    expect(out).toMatch(/^host +recorded +accesses +merged +vmap-v1 \(pins\) /m);
    expect(out).toMatch(/^vmap-v1 \(pins\) +100\.00 %/m);
    const alone = await replay('fleet', '--design=vmap-v1', folder);
    expect(alone.out).toMatch(/\npins {8}vmap-v1: the price/);
  });

  it('tells designs beside each other', async () => {
    const { out } = await replay(
      'fleet',
      '--design=fixes-v5,merged,copy',
      '--preempt=voluntary',
      folderOf({ 'web/s3.txt.gz': 's3', 'web/u5.txt.gz': 'u5' }),
    );
    expect(out).toMatchInlineSnapshot(`
      "fleet       2 runs of 1 host; 3.610 s recorded in all
      design      fixes-v5: direct map with the "Fixes for metadata acceleration" series, V5 (9 mails of 9
                  Aug 2019, never merged)
      and         merged, copy
      order       effects

      17,344 accesses: 5,474 direct-map hits (31.56 % … 90.65 %), 1,621 fallbacks, 10,249 ambiguous
      1,411 rounds

      host  run        recorded  accesses           fixes-v5   merged    copy  storms  complete
      web   s3.txt.gz   2.495 s    13,316  11.02 % … 87.99 %  11.02 %  0.00 %       1  not known
      web   u5.txt.gz   1.115 s     4,028            99.45 %  99.45 %  0.00 %       1  not known
      all               3.610 s    17,344  31.56 % … 90.65 %  31.56 %  0.00 %       2

      designs, over all runs
      design            hit ratio  fallback  ambiguous     attempts
      fixes-v5  31.56 % … 90.65 %    9.34 %    59.09 %  325 … 2,692
      merged              31.56 %   68.43 %     0.00 %        2,692
      copy                 0.00 %  100.00 %     0.00 %            0

      virtqueues that lose the most hits under fixes-v5
      host  run        virtqueue     fallbacks  accesses          hit ratio  mostly
      web   s3.txt.gz  vq 1 (dev 0)      1,119     8,406   3.12 % … 86.68 %  refused_count
      web   s3.txt.gz  vq 0 (dev 0)        480     4,910  24.54 % … 90.22 %  invalidated
      web   u5.txt.gz  vq 0 (dev 0)         14     1,431            99.02 %  not_set_up
      web   u5.txt.gz  vq 1 (dev 0)          8     2,597            99.69 %  not_set_up

      2 storms in 2 runs: 100 ranges or more over rings of a device in a second, or one under way for more
      than a tenth of it
      in storms 503 ranges and 16,020 accesses, of which 26.16 % … 90.08 % hit and 1,588 fell back under
      fixes-v5; replay storms tells those of a trace
      cause            ranges    share  storms
      clear               211  41.94 %       2
      protection_vma      200  39.76 %       2
      protection_page      92  18.29 %       2
      "
    `);
  });

  it('says the same with as many processes as one likes', async () => {
    const folder = folderOf({ ...TWO, 'web/u5.txt.gz': 'u5', 'web/u1.txt.gz': 'u1' });
    const one = await fleet('--workers', '1', folder);
    const five = await fleet('--workers', '5', folder);
    expect(five.result).toEqual(one.result);
    expect(one.result.totals).toMatchObject({ hosts: 2, runs: 4, unreadable: 0, uncounted: 4 });
  });

  it('a trace that cannot be read is a row that says so, and the others are told', async () => {
    const folder = folderOf(TWO);
    writeFileSync(join(folder, 'junk.txt'), 'nothing that was recorded\n');
    writeFileSync(join(folder, 'empty.arrows'), '');
    symlinkSync('nowhere', join(folder, 'gone.arrows'));
    const { code, err, result } = await fleet(folder);
    expect(code).toBe(2);
    expect(result.runs.map(({ host, status }) => `${host} ${status}`)).toEqual([
      'db replayed',
      'empty unreadable',
      'gone unreadable',
      'junk unreadable',
      'web replayed',
    ]);
    expect(result.totals).toMatchObject({ runs: 5, unreadable: 3 });
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^replay: .*empty.arrows is empty$/),
      expect.stringMatching(/^replay: cannot read .*gone.arrows: no such file$/),
      expect.stringMatching(/^replay: no events in .*junk.txt \(1 line\); line 1: /),
      expect.stringMatching(/^replay: expected a trace file, or /),
      '',
    ]);
    const alone = await fleet(join(folder, 'web'), join(folder, 'db.txt.gz'));
    expect(alone.code).toBe(0);
    expect(result.totals.designs).toEqual(alone.result.totals.designs);
    const { code: plain, out } = await replay('fleet', folder);
    expect(plain).toBe(2);
    expect(out).toMatch(/^junk +– +– .* unreadable$/m);
    expect(out).toMatch(/^could not be read:\n(?: .*\n)* {2}no events in/m);
  });

  it('says nothing of storms and hits where nothing was replayed', async () => {
    const folder = folderOf({});
    writeFileSync(join(folder, 'junk.txt'), 'nothing that was recorded\n');
    const { code, out } = await replay('fleet', folder);
    expect(code).toBe(2);
    expect(out).toMatch(
      /^no run was replayed\n\nhost .*\njunk .*unreadable\n\ncould not be read:$/m,
    );
    expect(out).not.toMatch(/storm[^s]|hits/);
  });

  it('a damaged trace is told as such, and --strict does not let it pass', async () => {
    const folder = folderOf({ 'a.txt.gz': 'u5' });
    writeTrace(join(folder, 'torn.arrows'), [textOf('s3')]);
    truncateSync(join(folder, 'torn.arrows'), 200_000);
    const { code, err, result } = await fleet(folder);
    expect(code).toBe(0);
    expect(err).toMatch(/^replay: .*torn\.arrows: the last \d+ bytes/);
    expect(result.totals).toMatchObject({ incomplete: 1, uncounted: 1 });
    const strict = await replay('fleet', '--strict', folder);
    expect(strict.code).toBe(1);
    expect(strict.out).toContain('complete    NO: events are missing, or may be, from 1 run;');
    expect((await replay('fleet', '--strict', join(folder, 'a.txt.gz'))).code).toBe(0);
  });

  it.each<[string, string[], RegExp]>([
    ['no path', [], /missing required argument 'paths'/],
    ['no workers', ['--workers', '0', top], /--workers takes a number, 1 to 1024, not "0"/],
    ['two outputs', ['--json', '--openmetrics', top], /both go to standard output/],
    ['no design', ['--design', 'merged,nope', top], /no design is called "nope"/],
    ['no architecture', ['--arch', 'pdp11', top], /no architecture is called "pdp11"/],
    ['no page size', ['--page-size', '5k', top], /--page-size is no page size/],
    ['no rate', ['--storm-rate', 'x', top], /--storm-rate takes ranges per second/],
    ['standard input', ['-'], /- is standard input/],
    ['nothing there', [join(top, 'none')], /cannot read .*none: no such file/],
  ])('%s: an error before anything is read', async (_what, args, said) => {
    const { code, out, err } = await replay('fleet', ...args);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(said);
  });

  it('lets nothing of a name reach the terminal or a label', async () => {
    const folder = folderOf({ 'we\u001b[2Jb"\\/u5\n.txt.gz': 'u5' });
    writeFileSync(join(folder, 'b\u001b]0;x\u0007.txt'), 'junk\n');
    const { out, err } = await replay('fleet', folder);
    // oxlint-disable-next-line no-control-regex -- none of them may be there
    expect(out + err).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f]/);
    expect(out).toContain('we\\x1b[2Jb"\\');
    const { out: metrics } = await replay('fleet', '--openmetrics', folder);
    const states = readOpenMetrics(metrics).find(({ type }) => type === 'stateset');
    expect(states?.samples.at(-1)?.labels).toMatchObject({
      host: 'we\\x1b[2Jb"\\',
      run: 'u5\\x0a.txt.gz',
    });
  });
});

describe('its OpenMetrics', () => {
  it('have the figures of its JSON, each series once', async () => {
    const folder = folderOf({ ...TWO, 'web/u5.txt.gz': 'u5' });
    writeFileSync(join(folder, 'junk.txt'), 'junk\n');
    const designs = ['--design', 'merged,copy'];
    const { result } = await fleet(...designs, folder);
    const { code, out } = await replay('fleet', '--openmetrics', ...designs, folder);
    expect(code).toBe(2);
    const families = readOpenMetrics(out);
    const total = (name: string, labels: Readonly<Record<string, string>>): number =>
      (families.find((family) => family.name === name)?.samples ?? [])
        .filter((sample) =>
          Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
        )
        .reduce((sum, { value }) => sum + value, 0);
    for (const { design, decisions } of result.totals.designs) {
      const accesses = 'vhostscope_virtqueue_accesses';
      expect(total(accesses, { design })).toBe(decisions.accesses);
      expect(total(accesses, { design, decision: 'hit' })).toBe(decisions.hits);
      expect(total('vhostscope_virtqueue_fallback_accesses', { design })).toBe(decisions.fallbacks);
    }
    expect(total('vhostscope_virtqueue_rounds', {})).toBe(result.totals.rounds);
    expect(total('vhostscope_storm_ranges', {})).toBe(result.totals.storms.ranges);
    expect(total('vhostscope_run_storms', { host: 'web' })).toBe(result.totals.storms.storms);
    expect(total('vhostscope_storm_accesses', { decision: 'fallback' })).toBe(
      result.totals.storms.fallbacks,
    );
    expect(total('vhostscope_run_state', {})).toBe(4);
    expect(total('vhostscope_run_state', { vhostscope_run_state: 'unreadable' })).toBe(1);
    for (const { samples } of families) {
      const series = samples.map(({ labels }) => JSON.stringify(labels));
      expect(new Set(series).size).toBe(series.length);
    }
  });

  it('are all documented, with their units', async () => {
    const lossy = join(top, 'lossy.txt');
    writeFileSync(lossy, textOf('s3').replace('\n', '\nA 1 2\n'), 'latin1');
    const { out } = await replay('fleet', '--openmetrics', lossy);
    const families = readOpenMetrics(out);
    expect(families).toHaveLength(10);
    const docs = readFileSync(join(import.meta.dirname, '../../../docs/fleet-metrics.md'), 'utf8');
    for (const { name, unit } of families)
      expect(docs).toMatch(
        new RegExp(`^\\| \`${name}\` \\|[^|]*\\| ${unit === '' ? '–' : unit} \\|`, 'm'),
      );
  });
});

describe('its page', () => {
  it('has what the text has, and runs and loads nothing', async () => {
    const folder = folderOf({ ...TWO, '<img src=x>&"/u5.txt.gz': 'u5' });
    writeFileSync(join(folder, "<script>alert('1').txt"), '<b>junk\n');
    const page = join(top, 'fleet.html');
    const { code, out, err } = await replay('fleet', '--report', page, folder);
    expect(code).toBe(2);
    expect(err).toContain(`replay: ${page}: `);
    const html = readFileSync(page, 'utf8');
    const [head = '', ...bodies] = html.split('</head>');
    const body = bodies.join('');
    const style = /<style>(.*)<\/style>/s.exec(head)?.[1] ?? '';
    const hash = createHash('sha256').update(style).digest('base64');
    expect(head).toContain(
      `content="default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'"`,
    );
    const tags = new Set([...body.matchAll(/<\/?([^\s>]*)[^>]*>/g)].map(([, tag]) => tag));
    const ours = 'body main h1 h2 p dl div dt dd section table thead tbody tr th td ul li html';
    expect([...tags].filter((tag) => !ours.split(' ').includes(tag ?? ''))).toEqual([]);
    // The same words, without the places of line breaks and columns.
    const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');
    const said = body
      .replaceAll(/<[^>]*>/g, ' ')
      .replaceAll('&lt;', '<')
      .replaceAll('&gt;', '>')
      .replaceAll('&quot;', '"')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&');
    expect(words(said).toSorted()).toEqual(words(out).toSorted());
  });

  it.each([
    ['-', /--report - is standard output/],
    [join(top, 'no folder', 'x.html'), /its folder does not exist/],
    [top, /is a directory/],
  ])('%s is no place for it, which is said first', async (page, said) => {
    const { code, out, err } = await replay('fleet', '--report', page, folderOf(TWO));
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toMatch(said);
  });

  it('is not written over a trace', async () => {
    const folder = folderOf(TWO);
    const { code, err } = await replay('fleet', '--report', join(folder, 'db.txt.gz'), folder);
    expect(code).toBe(2);
    expect(err).toContain('db.txt.gz is a trace that is reported on');
    expect(readFileSync(join(folder, 'db.txt.gz'))).toEqual(readFileSync(trace('d1').path));
  });
});

describe('the built program', () => {
  it('replays in processes', async () => {
    const { code, out, err } = await replayProcess(['fleet', '--json', folderOf(TWO)]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const result = fleetResultSchema.parse(JSON.parse(out));
    expect(replayedOf(result.runs)).toHaveLength(2);
    expect(result.totals.designs[0]?.decisions.accesses).toBe(13_316 + 179_142);
  });

  it('reads a pipe that is named as a file is', async () => {
    const folder = folderOf(TWO);
    const pipe = join(folder, 'pipe');
    const { code, out, err } = await shell(
      `mkfifo '${pipe}'; zcat '${join(folder, 'db.txt.gz')}' > '${pipe}' & $REPLAY fleet '${pipe}'; wait`,
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^pipe +6\.280 s +179,142 /m);
  });

  /** One trace that is replayed at once, and one that is not told to its end; the second is under way. */
  async function startSlow() {
    const folder = folderOf({ 'a.txt.gz': 'u5' });
    const pipe = join(folder, 'slow');
    const { code: made } = await shell(`mkfifo '${pipe}'`);
    expect(made).toBe(0);
    const args = ['fleet', '--json', '--workers', '1', join(folder, 'a.txt.gz'), pipe];
    const child = spawn(process.execPath, [BIN, ...args], { detached: true });
    // It can be opened only when it is read: then the one process is done with the other trace.
    const writer = spawn('/bin/sh', ['-c', `exec 3> '${pipe}'; echo open; sleep 60`]);
    await once(writer.stdout, 'data');
    return { child, writer };
  }

  it.each([
    ['SIGINT', 'the program'],
    ['SIGINT', 'all that runs in the terminal'],
    ['SIGTERM', 'the program'],
    ['SIGHUP', 'all that runs in the terminal'],
  ] as const)('ends with what it has when %s comes to %s', async (signal, to) => {
    const { child, writer } = await startSlow();
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (err += text));
    process.kill(to === 'the program' ? Number(child.pid) : -Number(child.pid), signal);
    const [code] = (await once(child, 'close')) as [number];
    writer.kill();
    expect(code).toBe(130);
    expect(err).toBe('replay: interrupted; what was replayed by then is told\n');
    const result = fleetResultSchema.parse(JSON.parse(out));
    expect(result.interrupted).toBe(true);
    expect(result.runs.map(({ run, status }) => [basename(run), status])).toEqual([
      ['a.txt.gz', 'replayed'],
      ['slow', 'interrupted'],
    ]);
  });

  it('leaves no process behind when it is killed', async () => {
    const { child, writer } = await startSlow();
    const { out } = await shell(`pgrep -P ${child.pid}`);
    expect(out).toMatch(/^\d+\n$/);
    child.kill('SIGKILL');
    await once(child, 'close');
    await expect
      .poll(async () => (await shell(`kill -0 ${out.trim()}`)).code, { timeout: 10_000 })
      .not.toBe(0);
    writer.kill();
  });

  it('has fewer processes do the work where not all of them can be started', async () => {
    const names = Array.from({ length: 12 }, (_, at) => [`${at}.txt.gz`, 'u5']);
    const folder = folderOf(Object.fromEntries(names));
    const { code, out, err } = await shell(
      `ulimit -n 40; $REPLAY fleet --json --workers 12 '${folder}'`,
    );
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(fleetResultSchema.parse(JSON.parse(out)).totals.runs).toBe(12);
  });
});
