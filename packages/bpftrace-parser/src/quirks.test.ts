import { describe, expect, it } from 'vitest';
import { hist, keyed, messagesOf, scalar } from '../test/expected.js';
import { bytesOf, run } from '../test/support.js';
import { QUIRKS, type QuirkId, parse } from './index.js';

/** One case or more for each quirk. */
const REPAIRS: Readonly<Record<QuirkId, readonly (readonly [string, unknown])[]>> = {
  'high-bytes': [
    ['{"type": "printf", "data": "caf\\uffffffc3\\uffffffa9"}', { type: 'printf', data: 'café' }],
    ['{"type": "time", "data": "\\uffffffff"}', { type: 'time', data: '\ufffd' }],
    ['{"type": "map", "data": {"@": {"\\uffffffc3\\uffffffa9": 1}}}', keyed('@', ['é', 1])],
  ],
  'bare-value': [
    ['{"type": "map", "data": {"@t": 04:41:59.279683}}', scalar('@t', '04:41:59.279683')],
    ['{"type": "map", "data": {"@t": 12:41:59}}', scalar('@t', '12:41:59')],
    [
      '{"type": "map", "data": {"@t": 2026-01-02 a, "b}", c}}',
      scalar('@t', '2026-01-02 a, "b}", c'),
    ],
    ['{"type": "map", "data": {"@m": 00:11:22:aa:bb:cc}}', scalar('@m', '00:11:22:aa:bb:cc')],
    [
      '{"type": "map", "data": {"@c": {"1": /sys/fs/cgroup/a, "2": /sys, x}}}',
      keyed('@c', ['1', '/sys/fs/cgroup/a'], ['2', '/sys, x']),
    ],
    [
      '{"type": "value", "data": [1,No such file or directory]}',
      { type: 'value', value: [1, 'No such file or directory'] },
    ],
    ['{"type": "map", "data": {"@t": 27, Nov 2026}}', scalar('@t', '27, Nov 2026')],
    ['{"type": "map", "data": {"@t": 59.120000}}', scalar('@t', '59.120000')],
    [
      '{"type": "map", "data": {"@m": {"a": [1,04:41:59], "b": [2,[/a[b],x],3]}}}',
      keyed('@m', ['a', [1, '04:41:59']], ['b', [2, ['/a[b]', 'x'], 3]]),
    ],
    ['{"type": "value", "data": none}', { type: 'value', value: 'none' }],
  ],
  'hex-integer': [
    ['{"type": "map", "data": {"@p": 0xffff888012345678}}', scalar('@p', 0xffff888012345678n)],
    ['{"type": "map", "data": {"@p": {"a": 0x10}}}', keyed('@p', ['a', 16])],
    [
      '{"type": "map", "data": {"@p": [0x1,{ "a": 0x2, "b": 0x3 },0x4]}}',
      scalar('@p', [
        1,
        new Map([
          ['a', 2],
          ['b', 3],
        ]),
        4,
      ]),
    ],
  ],
  'empty-value': [
    ['{"type": "hist", "data": {"@h": }}', hist('@h', [])],
    ['{"type": "map", "data": {"@x": }}', scalar('@x', null)],
    ['{"type": "map", "data": {"@x": [1,,[]]}}', scalar('@x', [1, null, []])],
    [
      '{"type": "stats", "data": {  "@s": }}',
      { type: 'stats', name: '@s', keyed: true, entries: [] },
    ],
    ['{"type": "map", "data": {"@x": {"a": , "b": 1}}}', keyed('@x', ['a', null], ['b', 1])],
  ],
  'missing-comma': [
    [
      '{"type": "tseries", "data": {"@a": [{"interval_start":1970-01-01 00:00:00.5,"value":9}{"interval_start":1970-01-01 00:00:00.6,"value":-1}]}}',
      {
        type: 'tseries',
        name: '@a',
        keyed: false,
        value: [
          { intervalStart: '1970-01-01 00:00:00.5', value: 9 },
          { intervalStart: '1970-01-01 00:00:00.6', value: -1 },
        ],
      },
    ],
  ],
  'sticky-hex': [],
};

describe('quirks', () => {
  const cases = Object.entries(REPAIRS).flatMap(([id, rows]) =>
    rows.map(([input, expected]) => [id as QuirkId, input, expected] as const),
  );

  it.each(cases)('%s: %s', (id, input, expected) => {
    expect(messagesOf(input)).toEqual([expected]);
    const { counts } = run([bytesOf(`${input}\n`)]);
    expect(counts.repaired).toBe(1);
    expect(counts.repairs[id]).toBe(1);
    expect(counts.rejected).toBe(0);
  });

  it('sticky-hex: counts after an escape are read as such, or doubted', () => {
    const lines = [
      '{"type": "attached_probes", "count": 2, "data": {"probes": 2}}',
      '{"type": "lost_events", "count": 10, "data": {"events": 10}}',
      '{"type": "printf", "data": "\\u0001\\n"}',
      '{"type": "lost_events", "count": ff, "data": {"events": ff}}',
      '{"type": "lost_events", "count": 10, "data": {"events": 10}}',
    ];
    const { messages, counts } = run([bytesOf(`${lines.join('\n')}\n`)]);
    expect(messages.filter((message) => message.type === 'lost_events')).toEqual([
      { type: 'lost_events', events: 10n, line: 2 },
      { type: 'lost_events', events: 255n, suspect: true, line: 4 },
      { type: 'lost_events', events: 16n, suspect: true, line: 5 },
    ]);
    expect(counts.repairs).toMatchObject({ 'sticky-hex': 2, 'bare-value': 0 });
  });

  it('sticky-hex: the buckets of a histogram, 1e5 too, and none before an escape', () => {
    const record = (counts: readonly string[]): string =>
      `{"type": "hist", "data": {"@h": {"a": [${counts.map((count) => `{"min": 1, "max": 1, "count": ${count}}`).join(',')}]}}}`;
    const escape = '{"type": "printf", "data": "\\u0001"}';
    const input = [record(['ff']), escape, record(['10', '1e5', 'ff'])].join('\n');
    expect(messagesOf(input)).toMatchObject([
      { type: 'rejected', reason: 'shape' },
      { type: 'printf' },
      {
        type: 'hist',
        suspect: true,
        entries: [{ value: [{ count: 0x10n }, { count: 0x1e5n }, { count: 0xffn }] }],
      },
    ]);
  });

  it('sticky-hex: digits alone are doubted, where the version is known to print them so', () => {
    const record = '{"type": "hist", "data": {"@h": [{"min": 1, "max": 1, "count": 10}]}}';
    const escape = '{"type": "printf", "data": "\\u0001"}';
    const modern = '{"type": "attached_probes", "count": 1, "data": {"probes": 1}}';
    expect(messagesOf([escape, record].join('\n'))[1]).not.toHaveProperty('suspect');
    expect(messagesOf([modern, escape, record].join('\n'))[2]).toMatchObject({
      suspect: true,
      value: [{ count: 10n }],
    });
  });

  it('have a bit each', () => {
    const bits = Object.values(QUIRKS).map((quirk) => quirk.bit);
    expect(new Set(bits).size).toBe(bits.length);
    expect(bits.every((bit) => Number.isInteger(Math.log2(bit)))).toBe(true);
  });

  it.each([
    '{"type": "map", "data": {"@x": 1}} x',
    '{"type": "map", "data": {"@x": 1}',
    '{"type": "map" "data": {"@x": 1}}',
    '{"type": "map", "data": {"@x": "\\x"}}',
    '{"type": "map", "data": {"@x": "\\u12"}}',
    '{"type": "map", "data": {@x: 1}}',
    '{"type": 5}',
    '{"type": "map", "data": {"@x": [1,2}}}',
  ])('do not excuse %s', (line) => {
    expect(parse(`${line}\n`, { format: 'json' })).toMatchObject([{ type: 'rejected', raw: line }]);
    expect(parse(`${line}\n`)).toMatchObject([{ type: 'text', text: line }]);
  });

  it.each([
    '{"type": "lost_events", "data": {"events": -5}}',
    '{"type": "lost_events", "data": {"events": 1e5}}',
    '{"type": "attached_probes", "data": {"probes": 9007199254740993}}',
    '{"type": "hist", "data": {"@h": [{"min": 1, "max": 1, "count": -1}]}}',
    '{"type": "helper_error", "helper": "x", "retcode": 9007199254740993}',
  ])('do not make a number of %s', (line) => {
    expect(messagesOf(line)).toMatchObject([{ type: 'rejected', reason: 'shape', raw: line }]);
  });
});
