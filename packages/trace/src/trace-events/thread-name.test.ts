/** Names of threads, whatever is in them. */
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEV, ftrace, importLines, PAGES, perf } from '../../test/trace-event-lines.ts';
import { inputEventsOf } from '../../test/trace-files.ts';

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
