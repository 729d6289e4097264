/** Fields of events, and lines that are not as they should be. */
import { describe, expect, test } from 'vitest';
import { importAnyText } from '../../test/trace-event-files.ts';
import {
  countsOf,
  DEV,
  ftrace,
  importCommand,
  importLines,
  PAGES,
  perf,
  VQ,
} from '../../test/trace-event-lines.ts';
import { inputEventsOf } from '../../test/trace-files.ts';

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
