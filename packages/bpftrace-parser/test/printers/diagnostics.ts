import * as fc from 'fast-check';
import { type Row, type Version, isSince, one } from './versions.js';

/** As UTF-8, a character per byte. */
export const bytesOf = (text: string): string => Buffer.from(text).toString('latin1');

/** Text that is nothing that bpftrace says by itself. */
export const words = fc
  .array(fc.constantFrom('a', 'nginx', 'é', 'q"', '\\x01', '/tmp/x.c', '{', '#1', '~', ':', '@x'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.join(' '));
const small = fc.integer({ min: 1, max: 999 });
const places = fc.record({
  file: fc.constantFrom('stdin', '/tmp/a b.bt', 'a:1.bt'),
  line: small,
  column: small,
});
const sources = fc.constantFrom('BEGIN { x }', 'kprobe:x { @[comm] = 1; }', '    @x = count();');

/** The source line of a diagnostic and the markers below what it is about. */
function shown(source: string, { column }: { column: number }): string {
  return `${source}\n${' '.repeat(column - 1)}~~~\n`;
}

const helperRows: readonly Row[] = [
  {
    name: 'failed helper',
    since: '0.9.2',
    until: '0.20',
    printed: () =>
      fc.tuple(places, sources, fc.constantFrom(-14, -22, 0, 5)).map(([at, source, retcode]) => {
        const why = retcode < 0 ? `Bad address (${retcode})` : String(retcode);
        const place = `${at.file}:${at.line}:${at.column}-${at.column + 3}`;
        const message = retcode < 0 ? { message: 'Bad address' } : {};
        return one(`${place}: WARNING: Failed to probe_read: ${why}\n${shown(source, at)}`, {
          type: 'helper_error',
          helper: 'probe_read',
          retcode,
          ...message,
          at,
          source,
        });
      }),
  },
  {
    name: 'failed helper, in two lines',
    since: '0.20',
    printed: () =>
      fc.tuple(places, sources, fc.integer({ min: -99, max: 9 })).map(([at, source, retcode]) => {
        const place = `${at.file}:${at.line}:${at.column}-${at.column + 3}`;
        const info = `Additional Info - helper: probe_read, retcode: ${retcode}`;
        return one(`${place}: WARNING: Bad address\n${info}\n${shown(source, at)}`, {
          type: 'helper_error',
          helper: 'probe_read',
          retcode,
          message: 'Bad address',
          at,
          source,
        });
      }),
  },
];

const levels = fc.constantFrom('ERROR', 'WARNING', 'HINT', 'BUG');

/** From 0.22 on, diagnostics may be coloured. */
export function coloured(version: Version, text: string): fc.Arbitrary<string> {
  const red = `\u001b[31m${text}\u001b[0m`;
  return isSince(version, '0.22') ? fc.constantFrom(text, red) : fc.constant(text);
}

/** Helpers that failed, and what bpftrace has to say otherwise. */
export const diagnosticRows: readonly Row[] = [
  ...helperRows,
  {
    name: 'diagnostic',
    since: '0.9.2',
    printed: (version) =>
      fc
        .tuple(levels, words)
        .chain(([level, text]) =>
          coloured(version, `${level}: ${text}`).map((line) =>
            one(`${bytesOf(line)}\n`, { type: 'log', level, text }),
          ),
        ),
  },
  {
    name: 'diagnostic of a place',
    since: '0.9.2',
    printed: (version) =>
      fc.tuple(levels, words, places, sources).chain(([level, text, at, source]) => {
        const place = `${at.file}:${at.line}:${at.column}-${at.column + 3}`;
        return coloured(version, `${place}: ${level}: ${text}`).map((line) =>
          one(`${bytesOf(line)}\n${shown(source, at)}`, { type: 'log', level, text, at, source }),
        );
      }),
  },
  attachFailure('0.9.2', '0.20', "Error attaching probe: 'kprobe:x'", 'ERROR'),
  attachFailure('0.9.2', '0.20', 'could not attach probe kprobe:x, skipping.', 'WARNING'),
  attachFailure('0.21', '0.24', 'Error attaching probe: kprobe:x, cannot attach probe.', 'ERROR'),
  attachFailure('0.21', '0.24', 'Error attaching probe: kprobe:x, skipping probe.', 'ERROR'),
  attachFailure(
    '0.24',
    undefined,
    "Unable to attach probe: kprobe:x. If this is expected, set the 'missing_probes' config variable to 'warn'.",
    'ERROR',
  ),
  attachFailure('0.24', undefined, 'Unable to attach probe: kprobe:x. Skipping.', 'WARNING'),
];

function attachFailure(since: string, until: string | undefined, text: string, level: string): Row {
  return {
    name: text,
    since,
    ...(until !== undefined && { until }),
    printed: (version) =>
      coloured(version, `${level}: ${text}`).map((line) =>
        one(`${line}\n`, { type: 'log', level, text, probe: 'kprobe:x' }),
      ),
  };
}
