import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { importAnyText } from '../../test/trace-event-files.ts';
import { DEV, importLines, PAGES, perf, VQ } from '../../test/trace-event-lines.ts';
import { eventsOf, inputEventsOf } from '../../test/trace-files.ts';

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
