/** What a text says, or does not, of events that it does not hold. */
import { describe, expect, test } from 'vitest';
import { golden, importAnyText, type ImportedText } from '../../test/trace-event-files.ts';
import { countsOf, ftrace, importLines, perf, VQ } from '../../test/trace-event-lines.ts';

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
    const flaw = `no event ${name} in this text: it was not recorded, or never happened (perf script --header tells which)`;
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
