import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { golden, importAnyText, type ImportedText } from '../../test/trace-event-files.ts';
import { eventsOf, inputEventsOf, type PlainEvent } from '../../test/trace-files.ts';
import { recordingCountsSchema } from '../recording-counts-schema.js';
import type { RecordingCounts } from '../recording-counts.js';

const VQ = '0xffff8c3ecbc90100';
const DEV = '0xffff8c3ecbc90000';
const PAGES = 'start=0x7f74100e0000 end=0x7f74100e1000 event=1 blockable=1';

const importLines = (...lines: string[]): ImportedText => importAnyText(`${lines.join('\n')}\n`);

/** A line of perf script with default fields, and one of ftrace. */
const perf = (
  event: string,
  { comm = 'vload', tid = 193, cpu = '000', time = '30.000000001' } = {},
): string =>
  `${comm.padStart(16)} ${String(tid).padStart(5)} [${cpu}] ${time.padStart(15)}: ${event}`;
const ftrace = (
  event: string,
  { comm = 'vload', tid = 219, flags = '.N.1.', time = '40.000001' } = {},
): string =>
  `${comm.padStart(16)}-${String(tid).padEnd(7)} [000] ${flags} ${time.padStart(12)}: ${event}`;

/** Of a text whose header tells how perf was called. */
const importCommand = (command: string): ImportedText =>
  importLines(`# cmdline : ${command} `, perf(`probe:vhost_vq_reset: (0) vq=${VQ}`));

function countsOf(fd: number): RecordingCounts[] {
  return eventsOf(fd)
    .filter(({ event }) => event === 'recording_end')
    .map(({ note }) => recordingCountsSchema.parse(JSON.parse(String(note))));
}

/** Everything but the line, where two texts of the same recording have it on others. */
const contents = (fd: number): PlainEvent[] => inputEventsOf(fd);

test('what perf prints of a group that its leader samples is not taken for events of the others', () => {
  // As perf 6.1 prints them; with many CPUs the numbers are many.
  const ids = Array.from({ length: 512 }, (_, at) => at + 100_000).join(', ');
  const leader = `# event : name = probe:vhost_vq_reset, , id = { ${ids} }, type = 2, size = 128, config = 0x5, { sample_period, sample_freq } = 1, sample_type = IP|TID|TIME|READ|CPU|ID|RAW, read_format = ID|GROUP|LOST, disabled = 1, sample_id_all = 1`;
  const member = leader
    .replace('vhost_vq_reset', 'vhost_uninit_vq_maps')
    .replace('{ sample_period, sample_freq } = 1, ', '');
  const lines = [
    perf(`probe:vhost_vq_reset: (0) vq=${VQ}`),
    perf(`probe:vhost_uninit_vq_maps: (0) vq=${VQ}`),
  ];
  const { fd, report } = importLines(leader, member, ...lines);
  expect(report).toMatchObject({ events: 1, rejected: 1 });
  expect(report.rejectedFirst[0]?.reason).toMatch(
    /^probe:vhost_uninit_vq_maps stands for an event/,
  );
  expect(report.flaws).toEqual([
    expect.stringMatching(
      /sampled probe:vhost_uninit_vq_maps by the leader of its group .*missing/,
    ),
  ]);
  expect(countsOf(fd)).toMatchObject([{ complete: false, events: { reset: 1 } }]);
  // A group whose members are sampled each is one in name only.
  const each = [
    leader,
    member.replace('sample_type', '{ sample_period, sample_freq } = 1, sample_type'),
  ];
  for (const text of [each, each.map((one) => one.replace('READ|', ''))])
    expect(importLines(...text, ...lines).report).toMatchObject({ events: 2, flaws: [] });
});

describe('golden texts', () => {
  test('default fields and -F tell the same events', () => {
    const byDefault = importAnyText(golden('perf-script-default.txt.gz'));
    const withFields = importAnyText(golden('perf-script-F.txt.gz'));
    expect(byDefault.kind).toEqual({
      format: 'perf script',
      clock: 'unknown',
      joint: 'blank',
      timeStep: 1,
    });
    for (const { report } of [byDefault, withFields])
      expect(report).toMatchObject({
        lines: 6041,
        events: 6041,
        rejected: 0,
        other: 0,
        lostEvents: 0n,
      });
    expect(contents(withFields.fd)).toEqual(contents(byDefault.fd));
    expect(countsOf(byDefault.fd)).toMatchObject([
      {
        events: {
          access: 5414,
          round: 474,
          range_start: 28,
          range_end: 28,
          prefetch: 43,
          addresses: 21,
          notifier: 16,
          unmap: 13,
          reset: 4,
        },
        backward: 0,
        complete: null,
      },
    ]);
    expect(byDefault.report.notes).toEqual([expect.stringContaining('not with its process')]);
    expect(withFields.report.notes).toEqual([]);
  });

  test('events hold what stands in the text', () => {
    const { fd } = importAnyText(golden('perf-script-F.txt.gz'), { keepsPointers: true });
    const events = inputEventsOf(fd);
    expect(events[0]).toEqual({
      event: 'unmap',
      time: 30_148_057_810n,
      cpu: 0,
      line: 1,
      vq: 0,
      mask: 0,
      invalidateCount: 0,
    });
    expect(events[4]).toMatchObject({ event: 'notifier', dev: 0, registered: 1, error: 0 });
    expect(
      events.find(({ event, address }) => event === 'addresses' && address !== 0n),
    ).toMatchObject({
      address: 0x7f74_103d_4000n,
      size: 4096n,
      area: 0,
    });
    expect(events.find(({ event }) => event === 'range_start')).toMatchObject({
      start: 0x7f74_100e_0000n,
      end: 0x7f74_100e_1000n,
      cause: 1,
      blockable: 1,
      pid: 193,
      comm: 'vload',
    });
    expect(
      events.filter(({ event, result }) => event === 'prefetch' && result === -14),
    ).toHaveLength(1);
    expect(events.find(({ result }) => result === -14)).toMatchObject({
      pagesGot: -1000,
      pagesWanted: 1,
    });
  });

  test('what the columns hold is what a regular expression finds', () => {
    const text = golden('perf-script-default.txt.gz');
    const found = [
      ...text.matchAll(
        /^.* (\d+)\.(\d{9}): +vho:access: .* vq=0x(\w+) accessor=(\d+) hit=(\d) count=(\d+)$/gm,
      ),
    ];
    const ids = new Map<string, number>();
    const { fd } = importAnyText(text);
    const accesses = inputEventsOf(fd).filter(({ event }) => event === 'access');
    expect(accesses).toHaveLength(found.length);
    for (const [
      at,
      [, seconds = '', nanoseconds = '', vq = '', accessor, hit, count],
    ] of found.entries()) {
      const access = accesses[at];
      expect(access).toMatchObject({
        time: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds),
        accessor: Number(accessor),
        observed: Number(hit),
      });
      expect(access?.['entries']).toBe(accessor === '8' ? Number(count) : undefined);
      const id = Number(access?.['vq']);
      expect(ids.get(vq) ?? id).toBe(id);
      ids.set(vq, id);
    }
    expect(ids.size).toBe(2);
  });

  test('ftrace: microseconds, in the order in which they stand there', () => {
    const { fd, report, kind } = importAnyText(golden('ftrace.txt.gz'));
    expect(kind).toMatchObject({ format: 'ftrace', timeStep: 1000 });
    expect(report).toMatchObject({ events: 1699, rejected: 0, other: 0, lostEvents: 0n });
    expect(report.notes[0]).toBe('times are whole microseconds, as ftrace prints them');
    const events = inputEventsOf(fd);
    expect(events.map(({ line }) => line)).toEqual(
      Array.from({ length: 1699 }, (_, at) => at + 13),
    );
    expect(events.every(({ time }) => time % 1000n === 0n)).toBe(true);
    const threads = new Set(
      events.flatMap(({ comm, pid }) => (comm === undefined ? [] : `${comm} ${pid}`)),
    );
    expect([...threads]).toEqual(['vload 219']);
  });

  test('perf prints events of all CPUs by time, and so they are read', () => {
    const { fd } = importAnyText(golden('perf-script-default.txt.gz'));
    const lines = inputEventsOf(fd).map(({ line }) => line);
    expect(lines).toEqual(lines.toSorted((a, b) => a - b));
  });

  test('call chains are passed over', () => {
    const { fd, report } = importAnyText(golden('perf-script-callchain.txt.gz'));
    expect(report).toMatchObject({ lines: 1326, events: 100, rejected: 0, other: 0 });
    expect(inputEventsOf(fd)[0]).toMatchObject({
      event: 'range_start',
      pid: 205,
      comm: 'vload',
      line: 1,
    });
  });

  test('losses are told where they stand, and make the trace incomplete', () => {
    const lines = golden('perf61-lost.txt');
    const { fd, report } = importAnyText(
      lines + `${perf(`vho:round: (0) vq=${VQ}`, { time: '3000.5' + '0'.repeat(8) })}\n`,
    );
    const told = [...lines.matchAll(/PERF_RECORD_LOST lost (\d+)/g)].map(([, lost]) =>
      BigInt(lost ?? 0),
    );
    const all = told.reduce((sum, lost) => sum + lost, 0n);
    expect(told.length).toBeGreaterThan(4);
    expect(report).toMatchObject({ lostEvents: all, events: 1, rejected: 0 });
    expect(report.otherFirst[0]).toEqual({
      line: 1,
      offset: 0,
      reason: "probe_t2:hot is none of vhost's events",
    });
    expect(countsOf(fd)).toMatchObject([{ complete: false, lost: { perf: String(all) } }]);
    expect(inputEventsOf(fd)[0]).toMatchObject({ event: 'lost', lost: 17n, note: 'perf', line: 3 });
  });
});

describe('what is lost', () => {
  const round = (time: string): string => perf(`vho:round: (ffffffffc04df650) vq=${VQ}`, { time });

  test('is not counted twice where perf counts it twice', () => {
    const { report } = importLines(
      round('1.000000000'),
      perf('PERF_RECORD_LOST lost 17'),
      perf('PERF_RECORD_LOST_SAMPLES lost 12'),
      perf('PERF_RECORD_LOST_SAMPLES lost 8'),
    );
    expect(report).toMatchObject({ events: 1, lostEvents: 20n, other: 0 });
  });

  test('is told by ftrace at its beginning, by trace_pipe and by trace-cmd where it was', () => {
    const of = (...lines: string[]): ImportedText =>
      importLines(...lines, ftrace(`round: (vq_meta_prefetch+0x0/0x10 [vhost]) vq=${VQ}`));
    const overwritten = of(
      '# tracer: nop',
      '#',
      '# entries-in-buffer/entries-written: 1000/1699   #P:1',
    );
    expect(overwritten.report).toMatchObject({ events: 1, lostEvents: 699n, other: 0 });
    expect(countsOf(overwritten.fd)).toMatchObject([
      { lost: { 'the kernel': '699' }, complete: false },
    ]);
    expect(of('CPU:1 [LOST 17 EVENTS]').report).toMatchObject({
      events: 1,
      lostEvents: 17n,
      other: 0,
    });
    const report = of('cpus=2', 'CPU:0 [5 EVENTS DROPPED]');
    expect(report.kind.format).toBe('trace-cmd report');
    expect(report.report).toMatchObject({ events: 1, lostEvents: 5n, other: 0 });
  });

  test('may be of a number that nobody tells', () => {
    for (const said of [
      'Processed 205991 events and lost 6 chunks!',
      'Processed 205991 samples and lost 12.34%!',
      'Processed 205991 events and lost 6 chunks!\r',
      perf('PERF_RECORD_THROTTLE'),
    ]) {
      const { fd, report } = importLines(said, round('1.000000000'));
      expect(report).toMatchObject({ events: 1, other: 0, lostEvents: 0n });
      expect(countsOf(fd)).toMatchObject([
        {
          complete: false,
          flaws: expect.arrayContaining([
            expect.stringMatching(/^(perf says|the kernel held back)/),
          ]),
        },
      ]);
    }
  });
});

describe('events that were not recorded', () => {
  const flawsOf = (text: string): readonly string[] | undefined =>
    countsOf(importAnyText(text).fd)[0]?.flaws;
  const text = golden('perf-script-F.txt.gz');
  const without = (event: RegExp): string =>
    text.replaceAll(new RegExp(`^.*${event.source}.*\n`, 'gm'), '');

  test.each([
    [/vho:range:.*start_end=1/, 'vho:range with start_end=1'],
    [/vho:range:.*start_end=0/, 'vho:range with start_end=0'],
    [/vho:uaddr:/, 'vho:uaddr'],
    [/vho:uninit:/, 'vho:uninit'],
  ])('%s', (event, name) => {
    const flaw = `no event ${name} in this text: was it recorded?`;
    expect(flawsOf(text)).toBe(undefined);
    expect(flawsOf(without(event))).toEqual([flaw]);
    expect(countsOf(importAnyText(without(event)).fd)).toMatchObject([{ complete: false }]);
  });

  test('are told from those that never happened by the header of perf script', () => {
    const said = '# event : name = vho:uninit, , id = { 5 }, type = 2, size = 128\n';
    expect(flawsOf(said + without(/vho:uninit:/))).toBe(undefined);
    expect(flawsOf(said + without(/vho:uaddr:/))).toHaveLength(1);
  });

  test('are not missed where nothing was accessed', () => {
    expect(flawsOf(golden('perf-script-callchain.txt.gz'))).toBe(undefined);
    expect(flawsOf(golden('ftrace.txt.gz'))).toBe(undefined);
  });
});

describe('lines that are not as they should be', () => {
  test.each([
    [
      `vho:access: (0) vq=${VQ} accessor=11 hit=1 count=1`,
      'vho:access: accessor is out of range or not a number',
    ],
    [
      `vho:access: (0) vq=${VQ} accessor=1 hit=3 count=1`,
      'vho:access: hit is out of range or not a number',
    ],
    [
      `vho:access: (0) vq=${VQ} accessor=1 hit=1 count=(fault)`,
      'vho:access: count is out of range or not a number',
    ],
    [
      `vho:access: (0) vq=0x1ffff8c3ecbc90100 accessor=1 hit=1`,
      'vho:access: vq is out of range or not a number',
    ],
    [`vho:range: (0) dev=${DEV} ${PAGES}`, 'vho:range: the field start_end is missing'],
    [
      `vho:range: (0) dev=${DEV} start_end=2 ${PAGES}`,
      'vho:range: start_end is out of range or not a number',
    ],
    ['vho:round:', 'vho:round: the field vq is missing'],
    [
      `vho:round: (0) name="a vq=0x5" vq=${VQ}`,
      'vho:round: the field vq is missing, or stands behind a text, where it cannot be told from it',
    ],
    [`vho:round: (0) vq=${VQ}\r`, 'the line ends in CR LF'],
  ])('%s', (event, reason) => {
    const good = perf(`vho:round: (0) vq=${VQ}`);
    const { fd, report } = importLines(good, perf(event), good);
    expect(report).toMatchObject({ lines: 3, events: 2, rejected: 1, other: 0 });
    expect(report.rejectedFirst[0]).toMatchObject({ line: 2, offset: good.length + 1 });
    expect(report.rejectedFirst[0]?.reason).toContain(reason);
    expect(countsOf(fd)).toMatchObject([{ complete: false, lost: { 'unreadable input': '1' } }]);
  });

  test.each([
    [`vho:round: (0) names={"a"," vq=0x5"} vq=${VQ}`, 'stands behind a text'],
    [`vho:round: (0) vq=${VQ} vq=0x5`, 'vho:round: the field vq stands there twice'],
    [
      `probe:vhost_round: (0) vq=${VQ}`,
      'probe:vhost_round tells what vho:round told before: leave one of them out',
    ],
    [
      `probe:vhost_invalidate_range_end_1: (0) dev=${DEV} ${PAGES}`,
      'probe:vhost_invalidate_range_end_1 tells what probe:vhost_invalidate_range_end told before',
    ],
    [
      `vho:notifier: (0) mn=${DEV} reg=1 err=0`,
      'the device is told by mn, and by dev before, which is another address',
    ],
  ])('events that contradict others or themselves: %s', (event, reason) => {
    const { report } = importLines(
      perf(`vho:round: (0) vq=${VQ}`),
      perf(`probe:vhost_invalidate_range_end: (0) dev=${DEV} ${PAGES}`),
      perf(event),
    );
    expect(report).toMatchObject({ events: 2, rejected: 1, other: 0 });
    expect(report.rejectedFirst[0]?.reason).toContain(reason);
  });

  test.each([
    ['/usr/bin/perf record -a -e vho:* --filter accessor==1', '--filter'],
    // A blank in an argument parts it.
    ['/usr/bin/perf record -e vho:access --filter accessor == 1 -a', '--filter'],
    ['/usr/bin/perf record -a --filt=accessor==1', '--filter'],
    [`/usr/bin/perf record -a ${'-e vho:access '.repeat(40)}-C 1,2`, '-C'],
    ['/usr/bin/perf record -aC 1', '-C'],
    ['/usr/bin/perf record -aC1', '-C'],
    ['/usr/bin/perf record -ap 12', '-p'],
    ['perf record -p 7 -- sleep 1', '-p'],
    ['perf record -gRt7 -e vho:*', '-t'],
    ['perf record -a --cpu=1 --tid 7', '--cpu, --tid'],
    ['perf record -a -u root', '-u'],
    ['perf record -a --uid=0', '--uid'],
    ['perf record -a -e vho:* -G machine', '-G'],
    ['perf record -a -e vho:* --cgroup machine', '--cgroup'],
    ['perf record -a --overwrite', '--overwrite'],
    ['perf record -a --all-user', '--all-user'],
    ['perf record -a -F 99', '-F'],
    ['perf record -a --freq=max', '--freq'],
    ['perf record -a -c 100', '-c'],
    ['perf record -a -D 10-20,30-40', '-D'],
    ['perf --debug verbose=1 record -a -p 7', '-p'],
    ['/opt/my tools/perf_6.1 record -p 7', '-p'],
  ])('perf was told to leave events out: %s', (command, options) => {
    const { fd, report } = importCommand(command);
    expect(report.flaws).toEqual([
      `perf record was told ${options}: what that left out is missing`,
    ]);
    expect(countsOf(fd)).toMatchObject([{ complete: false }]);
  });

  test.each([
    'perf record -e vho:* sleep 1',
    'perf record -e vho:* -- sleep 1',
    'perf record --no-all-cpus -e vho:* sleep 1',
    'perf record -z sleep 1',
    'perf record --aio --no-inh sleep 1',
  ])('perf was told to record one command alone: %s', (command) => {
    const { fd, report } = importCommand(command);
    expect(report.flaws).toEqual([
      'perf record was told to run a command, without -a: what other processes did is missing',
    ]);
    expect(countsOf(fd)).toMatchObject([{ complete: false }]);
  });

  test.each([
    '/usr/bin/perf record -a -k CLOCK_MONOTONIC -m 4096 -e vho:*',
    'perf record -e vho:* -o a.data',
    'perf record -e vho:* --',
    'perf record',
    'perf record -a -e vho:* -- ssh -p 22',
    'perf record -a -e vho:* ssh -p 22',
    'perf record -e vho:* -a ssh -C -F 7',
    'perf record -ae vho:* perf record -p 7',
    'perf record -o -p -a sleep 1',
    'perf record -a -c 1 -D -1 -I -z -S sleep 1',
    'perf record -a -c 0x1 -D 500 --switch-output --no-pid',
    'perf record --all-cp --no-filter -e vho:* sleep 1',
    'perf stat -p 7',
    '-p 7',
  ])('perf was not told to leave events out: %s', (command) => {
    const { fd, report } = importCommand(command);
    expect(report).toMatchObject({ flaws: [], notes: [] });
    expect(countsOf(fd)).toMatchObject([{ complete: null }]);
  });

  test.each([
    ['perf record -a --newest sleep -p 7', '--newest'],
    ['perf record -aX 7', '-X'],
    ['perf record -a --newest=7 -e vho:* sleep 1', '--newest'],
  ])('perf was told what is not known: %s', (command, option) => {
    const { fd, report } = importCommand(command);
    expect(report).toMatchObject({
      flaws: [],
      notes: [
        `perf record was told ${option}, which is not known here: whether that left events out is not known`,
      ],
    });
    expect(countsOf(fd)).toMatchObject([{ complete: null }]);
    expect(importCommand('perf record -a --newest -p 7').report.flaws).toHaveLength(1);
  });

  test.each(['perf record -e vho:* -k 1 ssh -a', 'perf record -e vho:* -o my file -ga'])(
    'whether perf was told to record one command alone does not show: %s',
    (command) => {
      const { fd, report } = importCommand(command);
      expect(report.flaws).toEqual([]);
      expect(report.notes).toEqual([expect.stringContaining('an argument of it holds a blank')]);
      expect(countsOf(fd)).toMatchObject([{ complete: null }]);
    },
  );

  test('a second probe at one place tells the same again, one at another place does not', () => {
    const { report } = importLines(
      perf(`probe:vhost_access: (ffffffffc04ddaf0) vq=${VQ} accessor=1 hit=0 count=1`),
      perf(`probe:vhost_access_1: (ffffffffc04ddb20) vq=${VQ} accessor=1 hit=0 count=1`),
      perf(`probe:vhost_access_2: (ffffffffc04ddaf0) vq=${VQ} accessor=1 hit=0 count=1`),
      perf(`probe:vhost_access_1: (ffffffffc04ddb20) vq=${VQ} accessor=1 hit=0 count=1`),
    );
    expect(report).toMatchObject({ events: 3, rejected: 1, other: 0 });
    expect(report.rejectedFirst[0]).toMatchObject({
      line: 3,
      reason:
        'probe:vhost_access_2 is at the place of probe:vhost_access: leave one of them out, or all is counted twice',
    });
  });

  test('an event behind a beginning that is not understood is a loss', () => {
    const perfs = importLines(
      perf(`vho:round: (0) vq=${VQ}`),
      `vload 193 30.1: vho:round: (0) vq=${VQ}`,
      `vload 193 30.1: sched:sched_switch: (0)`,
    );
    expect(perfs.report).toMatchObject({ events: 1, rejected: 1, other: 1 });
    const kernels = importLines(
      ftrace(`round: (f+0x0/0x10) vq=${VQ}`),
      `vload-193 30.1: round: (f+0x0/0x10) vq=${VQ}`,
    );
    expect(kernels.report).toMatchObject({ events: 1, rejected: 1, other: 0 });
  });

  test('a time beyond 2^63 ns', () => {
    const { report } = importLines(
      perf(`vho:round: (0) vq=${VQ}`, { time: '9223372035.999999999' }),
      perf(`vho:round: (0) vq=${VQ}`, { time: '9223372036.000000000' }),
    );
    expect(report).toMatchObject({ events: 1, rejected: 1 });
    expect(report.rejectedFirst[0]?.reason).toBe('the time is out of range');
  });

  test('of another event with that name, in ftrace, which prints no groups', () => {
    const { report } = importLines(
      ftrace(`round: (f+0x0/0x10) vq=${VQ}`),
      ftrace('range: from 5 to 7'),
      ftrace('sched_switch: prev_comm=a b ==> next_comm=c'),
    );
    expect(report).toMatchObject({ events: 1, rejected: 0, other: 2 });
    expect(report.otherFirst.map(({ reason }) => reason)).toEqual([
      'range has none of the fields of vho:range',
      "sched_switch is none of vhost's events",
    ]);
  });

  test('junk is counted and told, a cut line is a loss', () => {
    const { report } = importAnyText(
      `${perf(`vho:round: (0) vq=${VQ}`)}\nwhat is this line doing here?\nshort\n\n${perf('vho:round: (0)')}`,
    );
    expect(report).toMatchObject({ lines: 5, events: 1, rejected: 1, other: 2 });
    expect(report.otherFirst.map(({ line }) => line)).toEqual([2, 3]);
    expect(report.rejectedFirst).toMatchObject([
      { line: 5, reason: 'the input ends within this line' },
    ]);
  });
});

describe('fields', () => {
  test('may be hex or decimal, in any order, with others between', () => {
    const { fd, report } = importLines(
      perf(
        `probe:vhost_prefetch: (ffffffffc04df640) npages=0x4 other=7 ret=0xfffffff2 npinned=18446744073709550616 area=0x2 vq=${BigInt(VQ)}`,
      ),
      perf(
        `probe:vhost_prefetch: (0) vq=${VQ} area=2 ret=4294967282 npinned=0xfffffffffffffc18 npages=4`,
      ),
      perf(`probe:vhost_prefetch: (0) vq=${VQ} index=2 ret=-14 npinned=-1000 npages=4`),
    );
    expect(report).toMatchObject({ events: 3, rejected: 0 });
    for (const event of inputEventsOf(fd))
      expect(event).toMatchObject({ vq: 0, area: 2, result: -14, pagesGot: -1000, pagesWanted: 4 });
  });

  test('are those of functions too, as perf probe names them', () => {
    const { fd, report } = importLines(
      perf(`probe:vq_meta_prefetch_1: (0) vq=${VQ}`),
      perf(`kprobes:vhost_vq_reset: (0) dev=${DEV} vq=${VQ}`),
      perf(`probe:vhost_uninit_vq_maps: (0) vq=${VQ}`),
      perf(`probe:vhost_setup_uaddr: (0) vq=${VQ} index=2 uaddr=0x7000 size=4096 write=1`),
      perf(`probe:vhost_invalidate_range_end: (0) mn=${DEV} ${PAGES}`),
      perf(`probe:__mmu_notifier_invalidate_range_start: (0) owner=7 ${PAGES}`),
    );
    expect(report).toMatchObject({ events: 6, rejected: 0, other: 0 });
    const events = inputEventsOf(fd);
    expect(events.map(({ event }) => event)).toEqual([
      'round',
      'reset',
      'unmap',
      'addresses',
      'range_end',
      'core_range_start',
    ]);
    expect(events[2]).not.toHaveProperty('mask');
    expect(events[3]).toMatchObject({ area: 2, address: 0x7000n, size: 4096n });
    expect(events[3]).not.toHaveProperty('invalidateCount');
    expect(events[5]).toMatchObject({ owner: 7, pid: 193, comm: 'vload' });
    expect(events[5]).not.toHaveProperty('stack');
  });
});

describe('names of threads', () => {
  const range = (comm: string, options = {}): string =>
    perf(`vho:range: (0) dev=${DEV} start_end=1 ${PAGES}`, { comm, ...options });
  const namesOf = (...lines: string[]): unknown[] =>
    inputEventsOf(importLines(...lines).fd).map(({ comm, pid, cpu }) => [comm, pid, cpu]);

  test.each([
    ['x 12 [001]', 'x 12 [001]'],
    ['1.5: vho:round:', '1.5: vho:round:'],
    ['1 [001] a.b', '1 [001] a.b'],
    ['[001] 1.000000:', '[001] 1.000000:'],
    ['5/5 [007] U', '5/5 [007] U'],
    ['a-1 [001]', 'a-1 [001]'],
    ['caf\xc3\xa9 \x1b[2J', 'caf\\xc3\\xa9 \\x1b[2J'],
    ['back\\slash', 'back\\slash'],
    [':1234', ':1234'],
    ['', ''],
  ])('%j', (comm, expected) => {
    expect(namesOf(range(comm))).toEqual([[expected, 193, 0]]);
    const kernels = ftrace(`range: (f+0x0/0x10) dev=${DEV} start_end=1 ${PAGES}`, { comm });
    expect(namesOf(kernels)).toEqual([[expected, 219, 0]]);
  });

  test('of any bytes but a line feed', () => {
    const names = fc.array(
      fc.integer({ min: 1, max: 255 }).filter((byte) => byte !== 10),
      { maxLength: 15 },
    );
    fc.assert(
      fc.property(names, fc.boolean(), (bytes, isFtrace) => {
        const comm = String.fromCharCode(...bytes);
        const event = `range: (0) dev=${DEV} start_end=1 ${PAGES}`;
        const line = isFtrace ? ftrace(event, { comm }) : perf(`vho:${event}`, { comm });
        const [name, pid, cpu] = namesOf(
          isFtrace ? ftrace('x: y') : perf('a:b: c'),
          line,
        )[0] as unknown[];
        const escaped = comm
          .replace(/^ +/, '')
          .replace(isFtrace ? /$^/ : / +$/, '')
          .replaceAll(/[^ -~]/g, (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`);
        expect([String(name).trim(), pid, cpu]).toEqual([escaped.trim(), isFtrace ? 219 : 193, 0]);
      }),
      { numRuns: 1000 },
    );
  });

  test('a line feed in a name makes two lines, which are one event', () => {
    expect(namesOf(range('a\nb'), range('two\n\nlines'), range('x'))).toEqual([
      ['a\\x0ab', 193, 0],
      ['two\\x0a\\x0alines', 193, 0],
      ['x', 193, 0],
    ]);
    expect(importLines(range('x'), range('a\nb'), range('x')).report).toMatchObject({
      lines: 4,
      events: 3,
      rejected: 0,
      other: 0,
    });
  });

  test('a name is not taken for an event, of whatever text', () => {
    const forged = range('x\nM 5 0 10\n');
    const { kind, report } = importLines(forged, forged);
    expect(kind.format).toBe('perf script');
    expect(report).toMatchObject({ events: 2, other: 0 });
  });

  test('the process is told where the text tells it', () => {
    const byPerf = `           vload   193/198   [003]    30.148057: vho:range: (0) dev=${DEV} start_end=1 ${PAGES}`;
    const byFtrace = `           vload-198     (    193) [003] ..... 30.148057: range: (f+0x0/0x1) dev=${DEV} start_end=1 ${PAGES}`;
    const notKnown = byFtrace.replace('(    193)', '(-------)');
    expect(namesOf(byPerf)).toEqual([['vload', 193, 3]]);
    expect(namesOf(byFtrace)).toEqual([['vload', 193, 3]]);
    expect(namesOf(notKnown)).toEqual([['vload', 198, 3]]);
    expect(namesOf(byPerf.replace('193/198 ', ' -1/-1  '))).toEqual([['vload', 0xffff_ffff, 3]]);
  });
});

describe('layouts', () => {
  const event = `vho:round: (0) vq=${VQ}`;
  test.each([
    ['no name', `  193 [002]    30.148057810: ${event}`],
    ['misc', `           vload   193 [002] U    30.148057810: ${event}`],
    ['tod', `           vload   193 [002] 2026-11-22 04:56:14.123456    30.148057810: ${event}`],
    ['period', `           vload   193 [002]    30.148057810:          1   ${event}`],
    [
      'call chain',
      `vload 193 [002]    30.148057810: ${event}\n\tffffffffc04e0f41 [unknown] (/a (b)/vhost.ko)\n`,
    ],
    ['a process of -1', `           :-1    -1/-1    [002]    30.148057810: ${event}`],
  ])('perf script with %s', (_what, text) => {
    const { fd, report } = importAnyText(`${text}\n`);
    expect(report).toMatchObject({ events: 1, rejected: 0, other: 0 });
    expect(inputEventsOf(fd)).toMatchObject([{ event: 'round', time: 30_148_057_810n, cpu: 2 }]);
  });

  test.each([
    [
      'trace-cmd report',
      `cpus=1\n           vload-219   [002]    30.148057: round:                (ffffffffc04df650) vq=${VQ}`,
    ],
    [
      'trace-cmd report',
      `cpus=1\n           vload-219   [002] ...1.    30.148057810: round:                (0) vq=${VQ}`,
    ],
    [
      'ftrace',
      `# tracer: nop\n#\n           vload-219     [002]    30.148057: round: (vq_meta_prefetch+0x0/0x10 [vhost]) vq=${VQ}`,
    ],
    [
      'ftrace',
      `           vload-219     [002] d.h2.    30.148057: round: (f+0x0/0x10) vq=${VQ}\n           vload-219     [002] d.h2.    30.148057: <stack trace>\n => vho_access\n => kthread`,
    ],
  ])('%s', (format, text) => {
    const { fd, report, kind } = importAnyText(`${text}\n`);
    expect(kind.format).toBe(format);
    expect(report).toMatchObject({ events: 1, rejected: 0, other: 0 });
    expect(inputEventsOf(fd)[0]).toMatchObject({ event: 'round', cpu: 2 });
  });
});

test('accesses of many CPUs and threads keep their CPU and their order', () => {
  const lines = Array.from({ length: 5000 }, (_, at) => {
    const cpu = (at * 7) % 5;
    const tid = [9, 193, 123456, 7654321][(at * 13) % 4];
    const vq = (0xffff_8c3e_cbc9_0100n + BigInt((at % 40) * 0x4a50)).toString(16);
    const [place, address] = at % 3 === 0 ? ['', 0xaf0] : [`_${at % 11}`, 0xb00 + (at % 11)];
    return perf(
      `probe:vhost_access${place}: (ffffffffc04dd${address.toString(16)}) vq=0x${vq} accessor=${1 + (at % 10)} hit=${at % 2} count=${at % 12}`,
      {
        tid,
        cpu: String(cpu).padStart(3, '0'),
        time: `${9 + Math.floor(at / 500)}.${String(at * 1777).padStart(9, '0')}`,
      },
    );
  });
  const { fd, report } = importLines(...lines);
  expect(report).toMatchObject({ events: 5000, rejected: 0, other: 0 });
  const events = inputEventsOf(fd).toSorted((a, b) => a.line - b.line);
  for (const [at, event] of events.entries()) {
    expect(event).toMatchObject({
      line: at + 1,
      cpu: (at * 7) % 5,
      time: BigInt(9 + Math.floor(at / 500)) * 1_000_000_000n + BigInt(at * 1777),
      accessor: 1 + (at % 10),
      observed: at % 2,
      vq: at % 40,
    });
    if (1 + (at % 10) === 8) expect(event['entries']).toBe(at % 12);
  }
});

test('where the input is cut into chunks does not matter', () => {
  const given = fc.array(
    fc.oneof(
      fc.constantFrom(
        perf(`vho:access: (ffffffffc04ddaf0) vq=${VQ} accessor=9 hit=0 count=1`),
        perf(`vho:access: (ffffffffc04ddaf0) vq=${VQ} accessor=8 hit=1 count=3`, { cpu: '001' }),
        perf(`vho:range: (0) dev=${DEV} start_end=1 ${PAGES}`, { comm: 'a\nb' }),
        perf('PERF_RECORD_LOST lost 17'),
        perf('sched:sched_switch: x'),
        perf('vho:round: (0)'),
        '',
        'junk',
        '# comment',
        '\tffffffffc04e0f41 vho_range+0x1 ([kernel.kallsyms])',
      ),
      fc.string({ unit: 'binary', maxLength: 20 }),
    ),
    { maxLength: 30 },
  );
  const begins = perf(`vho:round: (0) vq=${VQ}`);
  fc.assert(
    fc.property(given, fc.constantFrom('', '\n'), (lines, last) => {
      const text = Buffer.from([begins, ...lines].join('\n') + last);
      const whole = importAnyText(text);
      for (const chunk of [1, 7, 4096]) {
        const cut = importAnyText(text, { chunk });
        expect(cut.report).toEqual(whole.report);
        expect(eventsOf(cut.fd)).toEqual(eventsOf(whole.fd));
      }
    }),
    { numRuns: 100 },
  );
});
