/** Recordings that perf and ftrace have printed. */
import { describe, expect, test } from 'vitest';
import { golden, importAnyText } from '../../test/trace-event-files.ts';
import { countsOf, perf, VQ } from '../../test/trace-event-lines.ts';
import { inputEventsOf, type PlainEvent } from '../../test/trace-files.ts';

/** Everything but the line, where two texts of the same recording have it on others. */
const contents = (fd: number): PlainEvent[] => inputEventsOf(fd);

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
