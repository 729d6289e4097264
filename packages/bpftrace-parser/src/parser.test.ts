import { describe, expect, it } from 'vitest';
import { LF, bytesOf, run } from '../test/support.js';
import { type LineTaker, type Message, createParser, parse } from './index.js';

/** Takes the lines that begin with an E, and tells what it saw. */
function takeEvents(seen: string[] = [], where: () => string = () => ''): LineTaker {
  return (bytes, start, end) => {
    if (bytes[start] !== 0x45) return -1;
    const lf = bytes.indexOf(LF, start);
    expect(lf).toBeLessThan(end);
    seen.push(where() + String.fromCharCode(...bytes.subarray(start, lf)));
    return lf + 1;
  };
}

/** What the taker took and what was delivered, in order, each with line and offset. */
function trace(
  chunks: readonly string[],
  options: { format?: 'auto' | 'text' | 'json'; maxLineBytes?: number } = {},
): string[] {
  const seen: string[] = [];
  const where = (): string => `${parser.line}@${parser.offset} `;
  const parser = createParser({
    ...options,
    takeLine: takeEvents(seen, where),
    onMessage(message) {
      expect(message.line).toBe(parser.line);
      seen.push(`${where()}${JSON.stringify(message, ['type', 'text', 'data', 'name', 'reason'])}`);
    },
  });
  for (const chunk of chunks) parser.push(bytesOf(chunk));
  parser.end();
  return seen;
}

describe('takeLine on text', () => {
  it('has first refusal on every line, with its number and offset', () => {
    const expected = ['1@0 E1', '2@3 {"type":"text","text":"x"}', '3@5 E2', '5@9 E3'];
    const input = 'E1\nx\nE2\n\nE3\n';
    expect(trace([input])).toEqual(expected);
    for (let cut = 0; cut <= input.length; cut++) {
      expect(trace([input.slice(0, cut), input.slice(cut)])).toEqual(expected);
    }
    expect(trace(input.split(''))).toEqual(expected);
  });

  it('is not asked about records of JSON', () => {
    const input = '{"type": "map", "data": {"@x": 1}}\nE1\n';
    expect(trace([input])).toEqual(['1@0 {"type":"map","name":"@x"}', '2@35 E1']);
  });

  it('is asked about lines that begin with a brace and are no records', () => {
    const asked: string[] = [];
    const takeLine: LineTaker = (bytes, start, end) => {
      asked.push(new TextDecoder().decode(bytes.subarray(start, end)));
      return -1;
    };
    expect(run([bytesOf('{x\n')], { takeLine }).messages).toMatchObject([{ text: '{x' }]);
    expect(asked).toEqual(['{x\n']);
  });

  it('is asked about every brace in the text format', () => {
    const line = '{"type": "map", "data": {"@x": 1}}';
    expect(parse(`${line}\n`, { format: 'text' })).toEqual([{ type: 'text', text: line, line: 1 }]);
  });

  it('is not asked about text in the json format', () => {
    expect(trace(['E1\n'], { format: 'json' })).toEqual(['1@0 {"type":"text","text":"E1"}']);
  });

  it('never sees a line that is too long, wherever the input is cut', () => {
    const input = 'E23456789\nE2\nE234567890\nE3\n';
    const expected = ['1@0 E23456789', '2@10 E2', '3@13 {"type":"rejected","reason":"overlong"}'];
    expected.push('4@24 E3');
    expect(trace([input], { maxLineBytes: 9 })).toEqual(expected);
    for (let cut = 0; cut <= input.length; cut++) {
      const halves = [input.slice(0, cut), input.slice(cut)];
      expect(trace(halves, { maxLineBytes: 9 })).toEqual(expected);
    }
  });

  it('gets lines back that were waiting to be the source of a diagnostic', () => {
    const input = 'stdin:1:1-5: WARNING: odd\nE1\nE2\n@x: \nE3\n';
    expect(trace([input])).toEqual([
      '1@0 {"type":"log","text":"odd"}',
      '2@26 E1',
      '3@29 E2',
      '4@32 {"type":"map","name":"@x"}',
      '5@37 E3',
    ]);
    expect(trace(['stdin:1:1-5: WARNING: odd\nE1\n'])).toEqual([
      '1@0 {"type":"log","text":"odd"}',
      '2@26 E1',
    ]);
  });

  it('keeps no view of a chunk that its owner uses again', () => {
    const seen: string[] = [];
    const parser = createParser({ takeLine: takeEvents(seen), onMessage: () => {} });
    for (const input of ['stdin:1:1-5: WARNING: odd\nE1\n', 'E2\nE', '3\n']) {
      const chunk = Buffer.from(input);
      parser.push(chunk);
      chunk.fill(0x21);
    }
    parser.end();
    expect(seen).toEqual(['E1', 'E2', 'E3']);
  });

  it.each([0, -7, 1.5, Number.NaN, 1e9, Number.POSITIVE_INFINITY])(
    'may return nonsense (%d) and harms nobody',
    (answer) => {
      const { messages, counts } = run([bytesOf('a\nb\n')], { takeLine: () => answer });
      expect(messages.length + counts.taken).toBe(2);
    },
  );
});

describe('takeLine on printf records', () => {
  const record = (data: string): string => `{"type": "printf", "data": ${JSON.stringify(data)}}\n`;

  it('is offered the payload', () => {
    expect(trace([record('E1\n') + record('x\n') + record('E2\n')])).toEqual([
      '1@0 E1',
      '2@35 {"type":"printf","data":"x\\n"}',
      '3@69 E2',
    ]);
  });

  it('is offered every line of a payload, what it refuses is delivered', () => {
    expect(trace([record('E1\nx\nE2\n')])).toEqual([
      '1@0 E1',
      '1@0 {"type":"printf","data":"x\\n"}',
      '1@0 E2',
    ]);
  });

  it('is offered lines printed in parts, under the number of the first one', () => {
    expect(trace([record('E') + record('1') + record('\nE2\nE') + record('3\n')])).toEqual([
      '1@0 E1',
      '3@64 E2',
      '3@64 E3',
    ]);
    expect(trace([record('x') + record('y\n')])).toEqual(['1@0 {"type":"printf","data":"xy\\n"}']);
  });

  it('does not join parts over other output, nor over the end', () => {
    const map = '{"type": "map", "data": {"@x": 1}}\n';
    expect(trace([record('E') + map + record('1\n') + record('E')])).toEqual([
      '1@0 {"type":"printf","data":"E"}',
      '2@32 {"type":"map","name":"@x"}',
      '3@67 {"type":"printf","data":"1\\n"}',
      '4@101 {"type":"printf","data":"E"}',
    ]);
    expect(trace([`${record('E')}E1\n`])).toEqual(['1@0 {"type":"printf","data":"E"}', '2@32 E1']);
  });

  it('joins no further than the longest line', () => {
    const { messages, counts } = run([bytesOf(record('x'.repeat(30)).repeat(5))], {
      takeLine: takeEvents(),
      maxLineBytes: 64,
    });
    expect(messages.map((m) => (m.type === 'printf' ? m.data.length : m))).toEqual([60, 60, 30]);
    expect(counts.messages.printf).toBe(3);
  });

  it('takes the slow path for records of another form, to the same end', () => {
    const forms = [
      '{"type":"printf","data":"E1\\n"}\n',
      '{"type": "printf", "msg": "E1\\n"}\n',
      '{"type": "printf", "data": "E1\\n"},\n',
      '[{"type": "printf", "data": "E1\\n"}]\n',
      '{"type": "printf", "data": "E1\\n" }\r\n',
      '{"type": "printf", "data": "\\u0045\\u0031\\u000a"}\n',
    ];
    for (const form of forms) expect(trace([form])).toEqual(['1@0 E1']);
  });

  it('delivers every record as it came when nobody takes lines', () => {
    const input = ['', 'a', 'b\n', 'c\nd\n'].map(record).join('');
    const data = parse(input).map((message) => message.type === 'printf' && message.data);
    expect(data).toEqual(['', 'a', 'b\n', 'c\nd\n']);
  });
});

describe('limits', () => {
  it('reports the rest of an input without LF, never as if whole', () => {
    for (const rest of ['{"type": "map", "data": {"@x": 1}}', 'Lost 1 events', 'E1', '@x: 1']) {
      const { messages, counts } = run([bytesOf(`a\n${rest}`)], { takeLine: takeEvents() });
      expect(messages).toEqual([
        { type: 'text', text: 'a', line: 1 },
        { type: 'truncated', text: rest, bytes: rest.length, line: 2 },
      ]);
      expect(counts).toMatchObject({ lines: 2, truncated: 1, taken: 0, lostEvents: 0n });
    }
  });

  it('has nothing to say about nothing', () => {
    expect(run([]).messages).toEqual([]);
    expect(run([new Uint8Array(0)]).counts.lines).toBe(0);
    expect(parse('')).toEqual([]);
  });

  it('keeps its memory through a line of a gigabyte', { timeout: 60_000 }, () => {
    const messages: Message[] = [];
    const parser = createParser({ onMessage: (message) => messages.push(message) });
    const chunk = new Uint8Array(1 << 20).fill(0x78);
    parser.push(bytesOf('a\n'));
    const before = process.memoryUsage();
    for (let i = 0; i < 1024; i++) parser.push(chunk);
    const after = process.memoryUsage();
    parser.push(bytesOf('\nb\n'));
    parser.end();
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(8 << 20);
    expect(after.heapUsed - before.heapUsed).toBeLessThan(8 << 20);
    expect(messages).toEqual([
      { type: 'text', text: 'a', line: 1 },
      { type: 'rejected', reason: 'overlong', raw: '', bytes: 1 << 30, line: 2 },
      { type: 'text', text: 'b', line: 3 },
    ]);
    expect(parser.counts).toMatchObject({ lines: 3, overlong: 1, rejected: 0, truncated: 0 });
  });

  it('takes a line of exactly the limit, and none longer', () => {
    for (const [length, type] of [
      [16, 'text'],
      [17, 'rejected'],
    ] as const) {
      const input = bytesOf(`${'x'.repeat(length)}\n`);
      for (let cut = 0; cut <= input.length; cut++) {
        const { messages } = run([input.subarray(0, cut), input.subarray(cut)], {
          maxLineBytes: 16,
        });
        expect(messages.map((message) => message.type)).toEqual([type]);
      }
    }
  });

  it('counts an over-long line that the input ends in', () => {
    const { messages, counts } = run([bytesOf('x'.repeat(17))], { maxLineBytes: 16 });
    expect(messages).toMatchObject([{ type: 'rejected', reason: 'overlong', bytes: 17 }]);
    expect(counts).toMatchObject({ overlong: 1, truncated: 0, rejected: 0 });
  });

  it.each([0, -1, 1.5, Number.NaN])('refuses maxLineBytes %d', (maxLineBytes) => {
    expect(() => createParser({ onMessage: () => {}, maxLineBytes })).toThrow(
      /maxLineBytes must be a positive integer/,
    );
  });

  it('gives up on a multi-line key that does not end', () => {
    const input = `@k[\n${'    f+1\n'.repeat(20_000)}`;
    const { messages } = run([bytesOf(input)]);
    expect(messages).toHaveLength(20_001);
    expect(messages.every((message) => message.type === 'text')).toBe(true);
  });

  it('is not slow on hostile lines', { timeout: 10_000 }, () => {
    const size = 1 << 20;
    const hostile = [
      `{"type": "map", "data": {"@x": ${'9'.repeat(size - 100)}}}\n`,
      `{"type": "map", "data": {"@x": ${', "'.repeat(size / 4)}\n`,
      `{"type": "map", "data": ${'['.repeat(size - 100)}\n`,
      `${':1'.repeat(4000)}: WARNING: x\n`,
      `@x[${']:'.repeat(size / 4)}\n`,
      `@x[${']: '.repeat(size / 4)}\n`,
      `(..., ${' '.repeat(200)}\n`,
      `@k[\n${' \n'.repeat(10_000)}`,
    ];
    const began = performance.now();
    for (const input of hostile) run([bytesOf(input)]);
    expect(performance.now() - began).toBeLessThan(5000);
  });
});

describe('formats', () => {
  it('reads records in the array form', () => {
    const one = '{"type": "time", "data": "a"}';
    const input = `[\n${one},\n${one}\n,${one}\n]\n[${one},${one}]\n`;
    for (const format of ['auto', 'json'] as const) {
      expect(parse(input, { format }).map((message) => message.line)).toEqual([2, 3, 4, 6, 6]);
    }
  });

  it('leaves brackets alone in text', () => {
    expect(parse('a\n[\n]\n').map((message) => message.type)).toEqual(['text', 'text', 'text']);
  });

  it('takes a damaged record for text until it has seen a whole one', () => {
    const damaged = '{"type": "map", "data": {"@x": 1';
    const whole = '{"type": "time", "data": "a"}';
    const { messages, counts } = run([bytesOf(`${damaged}\n${whole}\n${damaged}\n`)]);
    expect(messages.map((message) => message.type)).toEqual(['text', 'time', 'rejected']);
    expect(messages[2]).toMatchObject({ reason: 'syntax', raw: damaged, bytes: damaged.length });
    expect(counts.rejected).toBe(1);
    expect(parse(`${damaged}\n`, { format: 'json' })).toMatchObject([{ type: 'rejected' }]);
  });

  it('rejects contents that do not fit their type, and keeps unknown types', () => {
    const misfit = '{"type": "hist", "data": {"@h": [1]}}';
    const unknown = '{"type": "benchmark_result", "data": {"x": {"iters": 18446744073709551615}}}';
    const { messages, counts } = run([bytesOf(`${unknown}\n${misfit}\n{"type": "__proto__"}\n`)]);
    expect(messages).toEqual([
      { type: 'unknown', jsonType: 'benchmark_result', raw: unknown, line: 1 },
      { type: 'rejected', reason: 'shape', raw: misfit, bytes: misfit.length, line: 2 },
      { type: 'unknown', jsonType: '__proto__', raw: '{"type": "__proto__"}', line: 3 },
    ]);
    expect(counts).toMatchObject({ unknown: 2, rejected: 1 });
  });

  it('sums up what was lost, in both formats', () => {
    const input =
      'Lost 79 events\n{"type": "lost_events", "data": {"events": 18446744073709551615}}\n';
    const { counts } = run([bytesOf(input)]);
    expect(counts.lostEvents).toBe(79n + 18446744073709551615n);
    expect(counts.messages.lost_events).toBe(2);
  });
});
