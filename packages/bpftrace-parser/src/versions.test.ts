import { describe, expect, it } from 'vitest';
import { bytesOf, run } from '../test/support.js';
import { QUIRKS, type QuirkId, parse } from './index.js';

/** What a line or several become, without line numbers. */
function messagesOf(input: string): unknown[] {
  return parse(`${input}\n`).map((message) =>
    Object.fromEntries(Object.entries(message).filter(([name]) => name !== 'line')),
  );
}

const scalar = (name: string, value: unknown): object => ({
  type: 'map',
  name,
  keyed: false,
  value,
});
const keyed = (name: string, ...entries: (readonly [string, unknown])[]): object => ({
  type: 'map',
  name,
  keyed: true,
  entries: entries.map(([key, value]) => ({ key, value })),
});
const bucket = (min: bigint | null, max: bigint | null, count: bigint): object => ({
  min,
  max,
  count,
});

/** Version, what it prints, what that means. Only the rows of 0.17 are known from runs. */
const SHAPES: readonly (readonly [string, string, unknown])[] = [
  ['0.9.2', '{"type": "attached_probes", "probes": 1}', { type: 'attached_probes', probes: 1 }],
  ['0.9.2', '{"type": "lost_events", "events": 79}', { type: 'lost_events', events: 79n }],
  ['0.9.2', '{"type": "printf", "msg": "a\\n"}', { type: 'printf', data: 'a\n' }],
  ['0.9.2', '{"type": "time", "msg": "12:00\\n"}', { type: 'time', data: '12:00\n' }],
  [
    '0.9.3',
    '{"type": "attached_probes", "data": {"probes": 1}}',
    { type: 'attached_probes', probes: 1 },
  ],
  ['0.9.3', '{"type": "cat", "data": "x"}', { type: 'cat', data: 'x' }],
  ['0.9.3', '{"type": "join", "data": "a b"}', { type: 'join', data: 'a b' }],
  ['0.9.3', '{"type": "syscall", "data": "x"}', { type: 'syscall', data: 'x' }],
  ['0.11', '{"type": "value", "data": 5}', { type: 'value', value: 5 }],
  [
    '0.12',
    '{"type": "map", "data": {"@s": { "a": 0, "in": { "z": 0 } }}}',
    scalar(
      '@s',
      new Map<string, unknown>([
        ['a', 0],
        ['in', new Map([['z', 0]])],
      ]),
    ),
  ],
  ['0.16', '{"type": "hist", "data": {"@h": []}}', hist('@h', [])],
  [
    '0.17',
    '{"type": "helper_error", "helper": "probe_read", "retcode": -14, "line": 1, "col": 37}',
    { type: 'helper_error', helper: 'probe_read', retcode: -14, at: { line: 1, column: 37 } },
  ],
  [
    '0.20',
    '{"type": "helper_error", "msg": "Bad address", "helper": "probe_read", "retcode": -14, "line": 1, "col": 37}',
    {
      type: 'helper_error',
      helper: 'probe_read',
      retcode: -14,
      message: 'Bad address',
      at: { line: 1, column: 37 },
    },
  ],
  [
    '0.23',
    '{"type": "lost_events", "data": "Failed to attach watchpoint probe."}',
    { type: 'lost_events', events: 0n, text: 'Failed to attach watchpoint probe.' },
  ],
  [
    '0.24',
    '{"type": "attached_probes", "count": 3, "data": {"probes": 3}}',
    { type: 'attached_probes', probes: 3 },
  ],
  [
    '0.24',
    '{"type": "lost_events", "count": 79, "data": {"events": 79}}',
    { type: 'lost_events', events: 79n },
  ],
  [
    '0.24',
    '{"type": "helper_error", "msg": "Bad address", "helper": "probe_read", "retcode": -14, "filename": "stdin", "line": 1, "col": 38}',
    {
      type: 'helper_error',
      helper: 'probe_read',
      retcode: -14,
      message: 'Bad address',
      at: { file: 'stdin', line: 1, column: 38 },
    },
  ],
  [
    '0.24',
    '{"type": "runtime_error", "msg": "odd", "filename": "stdin", "line": 1, "col": 9}',
    { type: 'runtime_error', message: 'odd', at: { file: 'stdin', line: 1, column: 9 } },
  ],
  [
    '0.25',
    '{"type": "warnf", "msg": "odd", "filename": "a.bt", "line": 2, "col": 3}',
    { type: 'warnf', message: 'odd', at: { file: 'a.bt', line: 2, column: 3 } },
  ],
  ['0.24', '{"type": "map", "data": {"@x": {}}}', keyed('@x')],
  ['0.24', '{"type": "map", "data": {"@x": null}}', scalar('@x', null)],
  ['0.24', '{"type": "map", "data": {"@x": true}}', scalar('@x', true)],
  ['0.24', '{"type": "map", "data": {"@x": "9007199254740993"}}', scalar('@x', '9007199254740993')],
  [
    '0.24',
    '{"type": "hist", "data": {"@h": [{"min": 4, "max": 7, "count": 1},{"min": "9007199254740993", "count": 2}]}}',
    hist('@h', [bucket(4n, 7n, 1n), bucket(9007199254740993n, null, 2n)]),
  ],
  [
    '0.25',
    '{"type": "tseries", "data": {"@a": [{"interval_start":"1970-01-01 00:00:00.500000000","value":9},{"interval_start":"1970-01-01 00:00:00.600000000","value":8}]}}',
    {
      type: 'tseries',
      name: '@a',
      keyed: false,
      value: [
        { intervalStart: '1970-01-01 00:00:00.500000000', value: 9 },
        { intervalStart: '1970-01-01 00:00:00.600000000', value: 8 },
      ],
    },
  ],
  ['0.17', '{"type": "stats", "data": {"@a": {"x": 7}}}', stats('@a', 'x', [null, 7n, null])],
  [
    '0.9.2',
    '{"type": "stats", "data": {  "@s": {"k": {"count": 2, "average": 6, "total": 12}}}}',
    stats('@s', 'k', [2n, 6n, 12n]),
  ],
  [
    '0.17',
    '{"type": "map", "data": {"@m": {"a,1": 1, "a,1": 2}}}',
    keyed('@m', ['a,1', 1], ['a,1', 2]),
  ],
  ['0.17', '{"type": "map", "data": {"@m": {"__proto__": 1}}}', keyed('@m', ['__proto__', 1])],
  ['0.17', 'Attaching 1 probe...', { type: 'attached_probes', probes: 1 }],
  ['0.17', 'Attaching 12 probes...', { type: 'attached_probes', probes: 12 }],
  ['0.24', 'Attached 2 probes', { type: 'attached_probes', probes: 2 }],
  ['0.24', 'WARNING: Total lost event count: 83', { type: 'lost_total', events: 83n }],
  ['0.17', '__BPFTRACE_NOTIFY_PROBES_ATTACHED', { type: 'probes_ready' }],
  ['0.24', '@s: { .count = 3, .average = 2, .total = 6 }', stats('@s', undefined, [3n, 2n, 6n])],
  ['0.17', '@s[a, 1]: count 3, average -2, total -6', stats('@s', 'a, 1', [3n, -2n, -6n])],
  ['0.17', '@: 1', scalar('@', 1)],
  ['0.17', '@[1, 2]: 18446744073709551615', keyed('@', ['1, 2', 18446744073709551615n])],
  ['0.17', '@w[q"uote\n]: 3', keyed('@w', ['q"uote\n', 3])],
  [
    '0.17',
    '@k: \n        a+1\n        0xffff12\n',
    scalar('@k', '\n        a+1\n        0xffff12\n'),
  ],
  ['0.17', '@s: \n@x: 1', [scalar('@s', ''), scalar('@x', 1)]],
  ['0.17', '@h[7]: \n\n', { ...keyed('@h', ['7', []]), type: 'hist', complete: true }],
  [
    '0.23',
    '@h:\n(..., 0)               2 |@@  |\n[0]                    1 |@@  |\n[1K, 2K)               1 |    |\n[1M, ...)              1 |    |\n\n',
    hist('@h', [
      bucket(null, -1n, 2n),
      bucket(0n, 0n, 1n),
      bucket(1024n, 2047n, 1n),
      bucket(1n << 20n, null, 1n),
    ]),
  ],
  [
    '0.17',
    'stdin:1:37-44: WARNING: Failed to probe_read: Bad address (-14)\nBEGIN { x }\n        ~',
    {
      type: 'helper_error',
      helper: 'probe_read',
      retcode: -14,
      message: 'Bad address',
      at: { file: 'stdin', line: 1, column: 37 },
      source: 'BEGIN { x }',
    },
  ],
  [
    '0.20',
    'stdin:1:9-14: WARNING: Bad address\nAdditional Info - helper: probe_read, retcode: -14\nBEGIN { x }\n        ~',
    {
      type: 'helper_error',
      helper: 'probe_read',
      retcode: -14,
      message: 'Bad address',
      at: { file: 'stdin', line: 1, column: 9 },
      source: 'BEGIN { x }',
    },
  ],
  [
    '0.22',
    '\u001b[31ma.bt:3-5: ERROR: odd\u001b[0m',
    { type: 'log', level: 'ERROR', text: 'odd', at: { file: 'a.bt', line: 3 } },
  ],
  [
    '0.24',
    "ERROR: Unable to attach probe: kprobe:x. If this is expected, set the 'missing_probes' config variable to 'warn'.",
    {
      type: 'log',
      level: 'ERROR',
      text: "Unable to attach probe: kprobe:x. If this is expected, set the 'missing_probes' config variable to 'warn'.",
      probe: 'kprobe:x',
    },
  ],
  [
    '0.21',
    'ERROR: Error attaching probe: kprobe:x, skipping probe.',
    {
      type: 'log',
      level: 'ERROR',
      text: 'Error attaching probe: kprobe:x, skipping probe.',
      probe: 'kprobe:x',
    },
  ],
  [
    '0.23',
    '\u001b[33mstdin:1:1-2: WARNING: odd\u001b[0m\nx\n\u001b[33m~~\u001b[0m',
    {
      type: 'log',
      level: 'WARNING',
      text: 'odd',
      at: { file: 'stdin', line: 1, column: 1 },
      source: 'x',
    },
  ],
  // The graph of a tseries is text, and so is its header: an empty string has a blank before it.
  [
    '0.24',
    '@a:\n hh:mm:ss',
    [
      { type: 'text', text: '@a:' },
      { type: 'text', text: ' hh:mm:ss' },
    ],
  ],
  ['0.17', 'disk: ERROR: odd', { type: 'text', text: 'disk: ERROR: odd' }],
  ['0.17', '@home: sweet', scalar('@home', 'sweet')],
  ['0.17', '@home sweet', { type: 'text', text: '@home sweet' }],
];

function hist(name: string, value: readonly object[]): object {
  return { type: 'hist', complete: true, name, keyed: false, value };
}

function stats(
  name: string,
  key: string | undefined,
  [count, average, total]: readonly (bigint | null)[],
): object {
  const value = { count, average, total };
  if (key === undefined) return { type: 'stats', name, keyed: false, value };
  return { type: 'stats', name, keyed: true, entries: [{ key, value }] };
}

describe('shapes by version', () => {
  it.each(SHAPES)('%s prints %j', (_version, input, expected) => {
    expect(messagesOf(input)).toEqual(Array.isArray(expected) ? expected : [expected]);
  });

  it('a histogram cut short is not complete', () => {
    const open = '@h:\n[4, 8)                 1 |@@  |';
    expect(messagesOf(open)).toEqual([{ ...hist('@h', [bucket(4n, 7n, 1n)]), complete: false }]);
  });
});

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
    const hist = (counts: readonly string[]): string =>
      `{"type": "hist", "data": {"@h": {"a": [${counts.map((count) => `{"min": 1, "max": 1, "count": ${count}}`).join(',')}]}}}`;
    const escape = '{"type": "printf", "data": "\\u0001"}';
    const input = [hist(['ff']), escape, hist(['10', '1e5', 'ff'])].join('\n');
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
    const hist = '{"type": "hist", "data": {"@h": [{"min": 1, "max": 1, "count": 10}]}}';
    const escape = '{"type": "printf", "data": "\\u0001"}';
    const modern = '{"type": "attached_probes", "count": 1, "data": {"probes": 1}}';
    expect(messagesOf([escape, hist].join('\n'))[1]).not.toHaveProperty('suspect');
    expect(messagesOf([modern, escape, hist].join('\n'))[2]).toMatchObject({
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
