import { parseInteger } from './json-reader.js';
import type { LogLevel, MessageBody, ScriptLocation, Stats, Value } from './messages.js';

/** Lines longer than this are of no kind that bpftrace prints by itself, maps apart. */
const MAX_KNOWN_CHARS = 8192;

/** Most lines are printf output: one test instead of all those below. */
const MAY_BE_KNOWN =
  /^(?:Atta|Lost |No probes|__BPF|Program ID|The verif|processed |Running |create_|open\(|cannot |mmap|bpf: |libb)|(?:^|: )(?:FATAL|ERROR|BUG|WARNING|HINT|INFO): /;

/**
 * What one line of text output says by itself. Lines that may begin something of several lines are
 * for text-blocks.ts to ask about first.
 */
export function classifyLine(text: string): MessageBody {
  if (text.startsWith('@')) {
    const map = parseMapLine(text);
    if (map !== undefined) return mapMessage(map);
  } else if (text.length <= MAX_KNOWN_CHARS) {
    const plain = stripColour(text);
    if (!MAY_BE_KNOWN.test(plain)) return { type: 'text', text };
    const message = classifyProgress(plain) ?? classifyVerbose(plain) ?? parseLog(plain);
    if (message !== undefined) return message;
  }
  return { type: 'text', text };
}

/** What bpftrace says about its own progress. */
function classifyProgress(text: string): MessageBody | undefined {
  // Up to 0.23 "Attaching 2 probes...", before it attaches; from 0.24 "Attached 2 probes", after.
  const attached = /^(?:Attaching (\d{1,9}) probes?\.\.\.|Attached (\d{1,9}) probes?)$/.exec(text);
  if (attached !== null) {
    return { type: 'attached_probes', probes: Number(attached[1] ?? attached[2]) };
  }
  const lost = /^Lost (\d{1,20}) events$/.exec(text);
  if (lost !== null) return { type: 'lost_events', events: BigInt(lost[1]) };
  const total = /^WARNING: Total lost event count: (\d{1,20})$/.exec(text);
  if (total !== null) return { type: 'lost_total', events: BigInt(total[1]) };
  if (text === '__BPFTRACE_NOTIFY_PROBES_ATTACHED') return { type: 'probes_ready' };
  if (text === 'No probes to attach') return { type: 'no_probes' };
  return undefined;
}

/** The first line of the verifier's log, which -v prints. */
export const VERIFIER_LOG = 'The verifier log: ';
/** The last line of it. */
const VERIFIER_SUMMARY = /^processed \d+ insns \(limit \d+\)/;

const VERBOSE: readonly RegExp[] = [
  /^Program ID: \d+$/,
  /^The verifier log: $/,
  VERIFIER_SUMMARY,
  /^Attaching (?:BEGIN|END|\w+:\S+)$/,
  /^(?:Running BEGIN probe|Running END probe)$/,
];

function classifyVerbose(text: string): MessageBody | undefined {
  return VERBOSE.some((pattern) => pattern.test(text)) ? { type: 'verbose', text } : undefined;
}

/** Whether the verifier's log ends with this line. */
export function endsVerifierLog(text: string): boolean {
  return text === '' || VERIFIER_SUMMARY.test(text);
}

// stdin:1:1-25: WARNING: nonexistent_fn_zz is not traceable ...
// |____||_____|  |_____|
//  file  lines     level, and the text behind it
//        and columns
const LEVEL = /(?:^|: )(FATAL|ERROR|BUG|WARNING|HINT|INFO): /;
const LOCATION = /^(.*?):(\d{1,9})(?:-\d{1,9})?(?::(\d{1,9})(?:-\d{1,9})?)?$/;

/** Lines of libbcc and libbpf on their own account. */
const LIBRARY: readonly RegExp[] = [
  /^libbpf: /,
  /^libbcc: /,
  /^(?:create_probe_event: )?open\(\S+\): /,
  /^cannot attach \w+, /,
  /^mmap: /,
  /^bpf: Failed to /,
];

const PROBE_PATTERNS: readonly RegExp[] = [
  /^Error attaching probe: '(.*)'/,
  /^Error attaching probe: (\S+?),? (?:cannot attach|skipping) probe\.$/,
  /^could not attach probe (.*), skipping\.$/,
  /^Unable to attach probe: (.*?)\. (?:If this is expected|Skipping\.)/,
  /^failed to detach probe: (.*)$/,
];

/**
 * A diagnostic: `[file:line[:c1-c2]: ]LEVEL: text`. In text mode, bpftrace up to 0.19 prints a
 * failed helper as such a warning, `Failed to probe_read: Bad address (-14)`.
 */
function parseLog(text: string): MessageBody | undefined {
  const level = LEVEL.exec(text);
  if (level === null) {
    if (!LIBRARY.some((pattern) => pattern.test(text))) return undefined;
    return { type: 'log', level: 'LIBRARY', text };
  }
  const before = text.slice(0, level.index);
  const at = before === '' ? undefined : parseLocation(before);
  if (before !== '' && at === undefined) return undefined;
  const said = text.slice(level.index + level[0].length);
  const where = at === undefined ? {} : { at };
  const helper = /^Failed to ([\w ]+): (?:(.*) \((-\d{1,9})\)|(\d{1,9}))$/.exec(said);
  if (helper !== null && at !== undefined && level[1] === 'WARNING') {
    const [, name, message, errno, code] = helper;
    const retcode = Number(errno ?? code);
    return {
      type: 'helper_error',
      helper: name,
      retcode,
      ...(message !== undefined && { message }),
      ...where,
    };
  }
  const probe = PROBE_PATTERNS.map((pattern) => pattern.exec(said)?.[1]).find((p) => p);
  return {
    type: 'log',
    level: level[1] as LogLevel,
    text: said,
    ...where,
    ...(probe !== undefined && { probe }),
  };
}

/** The second line of a failed helper's warning, from 0.20; its first line is any text. */
export function parseHelperInfo(text: string): { helper: string; retcode: number } | undefined {
  const match = /^Additional Info - helper: (\w+), retcode: (-?\d{1,9})$/.exec(stripColour(text));
  return match === null ? undefined : { helper: match[1], retcode: Number(match[2]) };
}

function parseLocation(text: string): ScriptLocation | undefined {
  const match = LOCATION.exec(text);
  if (match === null) return undefined;
  const [, file, line, column] = match;
  return {
    file,
    line: Number(line),
    ...(column !== undefined && { column: Number(column) }),
  };
}

/** bpftrace 0.22 and later may colour its diagnostics. */
export function stripColour(text: string): string {
  let escape = text.indexOf('\u001b[');
  if (escape < 0) return text;
  let plain = '';
  let from = 0;
  for (; escape >= 0; escape = text.indexOf('\u001b[', from)) {
    plain += text.slice(from, escape);
    const close = text.indexOf('m', escape);
    if (close < 0) return plain + text.slice(escape);
    from = close + 1;
  }
  return plain + text.slice(from);
}

/** A line `@name: value` or `@name[key]: value`. */
export interface MapLine {
  readonly name: string;
  readonly key: string | undefined;
  readonly value: string;
}

/**
 * Splits a map's line. A key holding `]: ` cannot be told from its end: the last one counts.
 * bpftrace up to 0.22 prints `@h: ` before a histogram, 0.23 and later `@h:`.
 */
export function parseMapLine(text: string): MapLine | undefined {
  const name = mapName(text);
  if (name === undefined) return undefined;
  const rest = text.slice(name.length);
  if (rest[0] === ':') {
    if (rest.length > 1 && rest[1] !== ' ') return undefined;
    return { name, key: undefined, value: rest.slice(2) };
  }
  if (rest[0] !== '[') return undefined;
  if (rest.endsWith(']:')) return { name, key: rest.slice(1, -2), value: '' };
  const close = rest.lastIndexOf(']: ');
  if (close < 0) return undefined;
  return { name, key: rest.slice(1, close), value: rest.slice(close + 3) };
}

/** The map's name at the beginning of a line, `@` or `@name`. */
export function mapName(text: string): string | undefined {
  return /^@\w{0,256}/.exec(text)?.[0];
}

/** The message of a map's line. */
export function mapMessage({ name, key, value }: MapLine): MessageBody {
  const stats = parseStats(value);
  if (stats !== undefined) return { type: 'stats', name, ...contents(key, stats) };
  return { type: 'map', name, ...contents(key, parseText(value)) };
}

/** A value under its key, or alone. */
export function contents<V>(
  key: string | undefined,
  value: V,
): { keyed: false; value: V } | { keyed: true; entries: { key: string; value: V }[] } {
  return key === undefined ? { keyed: false, value } : { keyed: true, entries: [{ key, value }] };
}

/** Text shows integers as they are, and everything else without quotes. */
function parseText(value: string): Value {
  return /^-?(?:0|[1-9]\d{0,38})$/.test(value) ? parseInteger(value) : value;
}

/** Up to 0.23 as in the first form, from 0.24 as the record that it is. */
const STATS =
  /^(?:count (-?\d{1,20}), average (-?\d{1,20}), total (-?\d{1,20})|\{ \.count = (-?\d{1,20}), \.average = (-?\d{1,20}), \.total = (-?\d{1,20}) \})$/;

function parseStats(value: string): Stats | undefined {
  const match = STATS.exec(value);
  if (match === null) return undefined;
  const [, count, average, total] = match.filter((group, i) => i === 0 || group !== undefined);
  return { count: BigInt(count), average: BigInt(average), total: BigInt(total) };
}
