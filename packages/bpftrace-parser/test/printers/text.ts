import * as fc from 'fast-check';
import { bytesOf, coloured, diagnosticRows, words } from './diagnostics.js';
import { histograms } from './histograms.js';
import { type Printed, type Row, type Version, isSince, one } from './versions.js';

const names = fc.constantFrom('@', '@x', '@bytes_1', '@Latency');
const keyParts = fc.oneof(words, fc.integer().map(String));
const keys = fc.array(keyParts, { minLength: 1, maxLength: 3 }).map((parts) => parts.join(', '));
const int64 = fc.bigInt(-(2n ** 63n), 2n ** 64n - 1n);
const uint64 = fc.bigInt(0n, 2n ** 64n - 1n);
const small = fc.integer({ min: 1, max: 999 });

/** `@x` or `@x[key]`, with what comes of a value under it. */
const targets = fc.tuple(names, fc.option(keys, { nil: undefined })).map(([name, key]) => ({
  printed: bytesOf(key === undefined ? name : `${name}[${key}]`),
  contents: (value: unknown): object =>
    key === undefined
      ? { name, keyed: false, value }
      : { name, keyed: true, entries: [{ key, value }] },
}));

const exact = (value: bigint): number | bigint =>
  BigInt(Number(value)) === value && Math.abs(Number(value)) < 2 ** 53 ? Number(value) : value;

const suffixes = ['', 'K', 'M', 'G', 'T', 'P', 'E'];

/** A bound of a bucket: of powers of two the whole thousands of 1024 are left out. */
function label(version: Version, bound: bigint): string {
  let value = bound;
  let power = 0;
  const last = isSince(version, '0.20') ? 6 : 4;
  while (value !== 0n && value % 1024n === 0n && power < last) {
    value /= 1024n;
    power++;
  }
  return `${value}${suffixes[power]}`;
}

function header(version: Version, target: string): string {
  return isSince(version, '0.23') ? `${target}:\n` : `${target}: \n`;
}

function bar(count: bigint, most: bigint): string {
  const width = most === 0n ? 0 : Number((count * 52n) / most);
  return `|${'@'.repeat(width).padEnd(52)}|`;
}

const histRow: Row = {
  name: 'hist and lhist',
  since: '0.9.2',
  printed: (version) =>
    fc.tuple(targets, histograms).map(([target, bars]) => {
      const most = bars.reduce((so, { count }) => (count > so ? count : so), 0n);
      const rows = bars.map(({ min, max, count }) => {
        let range = `[${label(version, min ?? 0n)}, ${label(version, (max ?? 0n) + 1n)})`;
        if (min === null) range = `(..., ${label(version, max! + 1n)})`;
        else if (max === null) range = `[${label(version, min)}, ...)`;
        else if (min === max) range = `[${min}]`;
        return `${range.padEnd(16)}${String(count).padStart(8)} ${bar(count, most)}\n`;
      });
      return one(`${header(version, target.printed)}${rows.join('')}\n`, {
        type: 'hist',
        complete: true,
        ...target.contents(bars),
      });
    }),
};

const statsRow: Row = {
  name: 'stats',
  since: '0.9.2',
  printed: (version) =>
    fc
      .tuple(targets, fc.record({ count: uint64, average: int64, total: int64 }))
      .map(([target, stats]) => {
        const { count, average, total } = stats;
        const value = isSince(version, '0.24')
          ? `{ .count = ${count}, .average = ${average}, .total = ${total} }`
          : `count ${count}, average ${average}, total ${total}`;
        const body = { type: 'stats', ...target.contents(stats) };
        return one(`${target.printed}: ${value}\n\n`, body);
      }),
};

const frames = fc.array(fc.constantFrom('vfs_read+1', '__x64_sys_read+25', '0x7ffc84122898'), {
  minLength: 1,
  maxLength: 4,
});

function mapRow(name: string, value: fc.Arbitrary<{ printed: string; value: unknown }>): Row {
  return {
    name,
    since: '0.9.2',
    printed: () =>
      fc.tuple(targets, value).map(([target, said]) =>
        one(`${target.printed}: ${bytesOf(said.printed)}\n`, {
          type: 'map',
          ...target.contents(said.value),
        }),
      ),
  };
}

const stackRows: readonly Row[] = [
  {
    name: 'stack as a value',
    since: '0.9.2',
    printed: (version) =>
      fc.tuple(targets, frames).map(([target, stack]) => {
        const lines = stack.map((frame) => `        ${frame}\n`).join('');
        return one(`${header(version, target.printed)}${lines}\n`, {
          type: 'map',
          ...target.contents(`\n${lines}`),
        });
      }),
  },
  {
    name: 'stack in a key',
    since: '0.9.2',
    printed: () =>
      fc
        .tuple(names, frames, fc.option(words, { nil: undefined }), int64)
        .map(([name, stack, comm, value]) => {
          const lines = stack.map((frame) => `    ${frame}\n`).join('');
          const key = `\n${lines}${comm === undefined ? '' : `, ${comm}`}`;
          return one(`${name}[${bytesOf(key)}]: ${value}\n`, {
            type: 'map',
            name,
            keyed: true,
            entries: [{ key, value: exact(value) }],
          });
        }),
  },
];

function fixed(name: string, since: string, until: string | undefined, ...all: Printed[]): Row {
  return {
    name,
    since,
    ...(until !== undefined && { until }),
    printed: () => fc.constantFrom(...all),
  };
}

const progressRows: readonly Row[] = [
  {
    name: 'probes attached',
    since: '0.9.2',
    printed: (version) =>
      small.map((probes) => {
        const noun = probes === 1 ? 'probe' : 'probes';
        const [verb, dots] = isSince(version, '0.24') ? ['Attached', ''] : ['Attaching', '...'];
        return one(`${verb} ${probes} ${noun}${dots}\n`, { type: 'attached_probes', probes });
      }),
  },
  {
    name: 'events lost',
    since: '0.9.2',
    printed: () =>
      uint64.map((events) => one(`Lost ${events} events\n`, { type: 'lost_events', events })),
  },
  {
    name: 'events lost in all',
    since: '0.24',
    printed: (version) =>
      uint64.chain((events) =>
        coloured(version, `WARNING: Total lost event count: ${events}`).map((line) =>
          one(`${line}\n`, { type: 'lost_total', events }),
        ),
      ),
  },
  fixed('no probes', '0.9.2', undefined, one('No probes to attach\n', { type: 'no_probes' })),
  fixed('probes ready', '0.9.2', undefined, {
    ...one('__BPFTRACE_NOTIFY_PROBES_ATTACHED\n', { type: 'probes_ready' }),
  }),
  fixed(
    'what -v prints',
    '0.9.2',
    undefined,
    one('Program ID: 250\n', { type: 'verbose', text: 'Program ID: 250' }),
    {
      bytes: 'The verifier log: \nprocessed 21 insns (limit 1000000)\n\n',
      means: [
        { line: 0, body: { type: 'verbose', text: 'The verifier log: ' } },
        { line: 1, body: { type: 'verbose', text: 'processed 21 insns (limit 1000000)' } },
      ],
    },
  ),
  fixed('blank lines', '0.9.2', undefined, { bytes: '\n\n', means: [] }),
];

/**
 * Text output as each version prints it, after §3.7, §3.8 and §3.12 of the reference. What text
 * cannot carry is not printed: strings that look like numbers, keys with `]: ` or a LF in them.
 */

export const TEXT_ROWS: readonly Row[] = [
  ...progressRows,
  {
    name: 'output of the program',
    since: '0.9.2',
    printed: () =>
      words.map((said) => {
        const text = `> ${said}`;
        return one(`${bytesOf(text)}\n`, { type: 'text', text });
      }),
  },
  mapRow(
    'map of integers',
    int64.map((value) => ({ printed: String(value), value: exact(value) })),
  ),
  mapRow(
    'map of strings and tuples',
    fc
      .oneof(
        words,
        words.map((word) => `(1, ${word})`),
      )
      .map((text) => ({ printed: text, value: text })),
  ),
  histRow,
  statsRow,
  ...stackRows,
  ...diagnosticRows,
];
