import * as fc from 'fast-check';
import {
  decode,
  plainStrings,
  printInteger,
  printValue,
  quote,
  quoteText,
  stringsOf,
  valueOf,
  values,
} from './values.js';
import { type Bar, counts, histograms } from './histograms.js';
import { type Printed, type Row, type Version, isSince, one } from './versions.js';

const uint64 = fc.bigInt(0n, 2n ** 64n - 1n);
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n);
const names = fc.constantFrom('@', '@x', '@bytes_1', '@Latency');
const small = fc.integer({ min: 1, max: 999 });

const record = (type: string, data: string): string => `{"type": "${type}", "data": ${data}}\n`;
const named = (type: string, name: string, value: string): string =>
  record(type, `{"${name}": ${value}}`);

/** `attached_probes` and `lost_events`. */
function tally(version: Version, type: string, member: string, count: bigint): string {
  if (version === '0.9.2') return `{"type": "${type}", "${member}": ${count}}\n`;
  const beside = isSince(version, '0.24') ? `"count": ${count}, ` : '';
  return `{"type": "${type}", ${beside}"data": {"${member}": ${count}}}\n`;
}

function output(type: 'printf' | 'time' | 'cat' | 'join' | 'syscall'): Row {
  return {
    name: type,
    since: '0.9.2',
    printed: (version) =>
      stringsOf(version).map((bytes) => {
        const member = version === '0.9.2' ? 'msg' : 'data';
        const text = `{"type": "${type}", "${member}": ${quote(version, bytes)}}\n`;
        return one(text, { type, data: decode(bytes) });
      }),
  };
}

/** Alone, or by key. */
function contents<V>(
  version: Version,
  type: 'map' | 'hist' | 'stats' | 'tseries',
  value: fc.Arbitrary<V>,
  printed: { readonly print: (value: V) => string; readonly read: (value: V) => unknown },
  more: object = {},
): fc.Arbitrary<Printed> {
  const { print, read } = printed;
  const scalar = fc
    .tuple(names, value)
    .map(([name, one_]) =>
      one(named(type, name, print(one_)), { type, ...more, name, keyed: false, value: read(one_) }),
    );
  const entries = fc.array(fc.tuple(stringsOf(version), value), { minLength: 1, maxLength: 5 });
  const keyed = fc.tuple(names, entries).map(([name, all]) => {
    const members = all.map(([key, one_]) => `${quote(version, key)}: ${print(one_)}`).join(', ');
    const body = all.map(([key, one_]) => ({ key: decode(key), value: read(one_) }));
    return one(named(type, name, `{${members}}`), {
      type,
      ...more,
      name,
      keyed: true,
      entries: body,
    });
  });
  return fc.oneof(scalar, keyed);
}

function printBars(version: Version, bars: readonly Bar[]): string {
  // Up to 0.15 nothing at all is printed for an empty one.
  if (bars.length === 0 && !isSince(version, '0.16')) return '';
  const objects = bars.map(({ min, max, count }) => {
    const from = min === null ? '' : `"min": ${printInteger(version, min)}, `;
    const to = max === null ? '' : `"max": ${printInteger(version, max)}, `;
    return `{${from}${to}"count": ${count}}`;
  });
  return `[${objects.join(isSince(version, '0.24') ? ',' : ', ')}]`;
}

const points = fc.array(
  fc.record({ second: fc.nat({ max: 59 }), tenth: fc.nat({ max: 9 }), value: int64 }),
  { minLength: 1, maxLength: 5 },
);
const start = ({ second, tenth }: { second: number; tenth: number }): string =>
  `1970-01-01 00:00:${String(second).padStart(2, '0')}.${tenth}`;

interface Place {
  readonly line: number;
  readonly column: number;
  readonly file: string;
}
const places = fc.record<Place>({
  line: small,
  column: small,
  file: fc.constantFrom('stdin', '/tmp/a b.bt', 'a"\\b.bt'),
});
const located = ({ file, line, column }: Place): string =>
  `"filename": ${quoteText(file)}, "line": ${line}, "col": ${column}`;

function scriptError(type: 'runtime_error' | 'errorf' | 'warnf', since: string): Row {
  return {
    name: type,
    since,
    printed: () =>
      fc.tuple(plainStrings, places).map(([bytes, at]) => {
        const text = `{"type": "${type}", "msg": ${quote('0.24.0', bytes)}, ${located(at)}}\n`;
        return one(text, { type, message: decode(bytes), at });
      }),
  };
}

/** Every type of record of `-f json`, by version, after §3.2 and §3.5 of the reference. */
export const JSON_ROWS: readonly Row[] = [
  {
    name: 'attached_probes',
    since: '0.9.2',
    printed: (version) =>
      fc.nat().map((probes) =>
        one(tally(version, 'attached_probes', 'probes', BigInt(probes)), {
          type: 'attached_probes',
          probes,
        }),
      ),
  },
  {
    name: 'lost_events',
    since: '0.9.2',
    printed: (version) =>
      counts.map((events) =>
        one(tally(version, 'lost_events', 'events', events), { type: 'lost_events', events }),
      ),
  },
  {
    name: 'lost_events of watchpoints',
    since: '0.10',
    until: '0.24',
    printed: () => {
      const text = 'Failed to attach watchpoint probe. You are out of watchpoint registers.';
      return fc.constant(
        one(record('lost_events', quoteText(text)), { type: 'lost_events', events: 0n, text }),
      );
    },
  },
  output('printf'),
  output('time'),
  output('cat'),
  output('join'),
  output('syscall'),
  {
    name: 'value',
    since: '0.11',
    printed: (version) =>
      values(version, 'value').map((said) =>
        one(record('value', printValue(version, said)), {
          type: 'value',
          value: valueOf(version, said),
        }),
      ),
  },
  {
    name: 'map',
    since: '0.9.2',
    printed: (version) =>
      contents(version, 'map', values(version, 'map'), {
        print: (said) => printValue(version, said),
        read: (said) => valueOf(version, said),
      }),
  },
  {
    name: 'map of structs by key',
    since: '0.24',
    printed: (version) =>
      fc.tuple(names, plainStrings, values(version, 'element')).map(([name, key, said]) => {
        const member = `{${quote(version, key)}: ${printValue(version, said)}}`;
        const entries = [{ key: decode(key), value: valueOf(version, said) }];
        return one(named('map', name, member), { type: 'map', name, keyed: true, entries });
      }),
  },
  {
    name: 'map without elements',
    since: '0.24.0',
    until: '0.25.0',
    printed: () =>
      names.map((name) =>
        one(named('map', name, '{}'), { type: 'map', name, keyed: true, entries: [] }),
      ),
  },
  {
    name: 'hist and lhist',
    since: '0.9.2',
    printed: (version) =>
      contents(
        version,
        'hist',
        fc.oneof({ weight: 9, arbitrary: histograms }, fc.constant([])),
        { print: (bars) => printBars(version, bars), read: (bars) => bars },
        { complete: true },
      ),
  },
  {
    name: 'stats',
    since: '0.9.2',
    printed: (version) =>
      contents(version, 'stats', fc.record({ count: uint64, average: int64, total: int64 }), {
        print: ({ count, average, total }) =>
          `{"count": ${printInteger(version, count)}, "average": ${printInteger(version, average)}, "total": ${printInteger(version, total)}}`,
        read: (stats) => stats,
      }).map(({ bytes, means }) => ({ bytes: bytes.replace('"data": {', '"data": {  '), means })),
  },
  {
    name: 'avg',
    since: '0.9.2',
    printed: (version) =>
      contents(version, 'stats', int64, {
        print: (average) => printInteger(version, average),
        read: (average) => ({ count: null, average, total: null }),
      }),
  },
  {
    name: 'tseries without commas and quotes',
    since: '0.24.0',
    until: '0.25.0',
    printed: (version) =>
      contents(version, 'tseries', points, {
        print: (all) =>
          `[${all.map((p) => `{"interval_start":${start(p)},"value":${printInteger(version, p.value)}}`).join('')}]`,
        read: (all) => all.map((p) => sampleOf(version, p)),
      }),
  },
  {
    name: 'tseries',
    since: '0.25.0',
    printed: (version) =>
      contents(version, 'tseries', points, {
        print: (all) =>
          `[${all.map((p) => `{"interval_start":"${start(p)}","value":${printInteger(version, p.value)}}`).join(',')}]`,
        read: (all) => all.map((p) => sampleOf(version, p)),
      }),
  },
  {
    name: 'helper_error',
    since: '0.16',
    printed: (version) =>
      fc.tuple(places, fc.integer({ min: -4095, max: 9 })).map(([at, retcode]) => {
        const message = isSince(version, '0.20') ? { message: 'Bad address' } : {};
        const { line, column } = at;
        const place = isSince(version, '0.24') ? located(at) : `"line": ${line}, "col": ${column}`;
        const said = isSince(version, '0.20') ? '"msg": "Bad address", ' : '';
        const rest = `"helper": "probe_read", "retcode": ${retcode}, ${place}`;
        return one(`{"type": "helper_error", ${said}${rest}}\n`, {
          type: 'helper_error',
          helper: 'probe_read',
          retcode,
          ...message,
          at: isSince(version, '0.24') ? at : { line, column },
        });
      }),
  },
  scriptError('runtime_error', '0.24'),
  scriptError('errorf', '0.24'),
  scriptError('warnf', '0.25.0'),
  ...['test_result', 'benchmark_result', 'benchmark_results'].map((jsonType): Row => ({
    name: jsonType,
    since: '0.24',
    printed: () =>
      plainStrings.map((bytes) => {
        const raw = `{"type": "${jsonType}", "data": {"a": [1, ${quote('0.24.0', bytes)}]}}`;
        return one(`${raw}\n`, { type: 'unknown', jsonType, raw });
      }),
  })),
];

function sampleOf(
  version: Version,
  point: { second: number; tenth: number; value: bigint },
): object {
  const value = valueOf(version, { kind: 'integer', value: point.value });
  return { intervalStart: start(point), value };
}
