import { describe, expect, it } from 'vitest';
import { bucket, hist, keyed, messagesOf, scalar, stats } from '../test/expected.js';

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

describe('shapes by version', () => {
  it.each(SHAPES)('%s prints %j', (_version, input, expected) => {
    expect(messagesOf(input)).toEqual(Array.isArray(expected) ? expected : [expected]);
  });

  it('a histogram cut short is not complete', () => {
    const open = '@h:\n[4, 8)                 1 |@@  |';
    expect(messagesOf(open)).toEqual([{ ...hist('@h', [bucket(4n, 7n, 1n)]), complete: false }]);
  });
});
