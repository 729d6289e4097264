/**
 * Reader of the text dialect: a tag, ns, cpu, then the columns that EVENTS gives for the tag, separated
 * by one blank each; an optional one may be `-`. One generic loop over a plan per tag, derived from the
 * table.
 *
 * HOT: runs once per line of an import, allocates nothing. Benchmark: `pnpm bench`.
 */
import { CPU_SLOT, LITERAL_SLOT, SLOT, TIME_SLOT, type EventLine } from './event-line.js';
import { HEX_DIGIT, readDecimal } from './exact-numbers.js';
import { MAX_CPU, fieldDefinition, type FieldName } from './event-fields.js';
import { EVENTS, eventDefinition, type EventName } from './events.js';

/** First line of a recording in this dialect, as a kernel with the direct-map driver was traced. */
export const RECORDING_HEADER = '# vhost-oracle 1';

/** First line of what `collector attach` lets bpftrace print: the same table, with more events. */
export const ATTACH_HEADER = '# vhostscope 1';

/**
 * The same, where each access is told with the decision that a driver with the direct-map code took. Unlike a
 * recording of the oracle it leaves out ranges that lie away from the rings.
 */
export const ATTACH_DIRECT_MAP_HEADER = '# vhostscope 1 direct-map';

/** First lines of recordings, and so the notes of their `recording` events. */
export const HEADERS: readonly string[] = [
  RECORDING_HEADER,
  ATTACH_HEADER,
  ATTACH_DIRECT_MAP_HEADER,
];

const DECIMAL = 0;
const SIGNED = 1;
const HEX = 2;
const REST = 3;

/** One step per column, as parallel arrays: what to read, where to put it, and its bounds. */
interface TagPlan {
  readonly forms: Uint8Array;
  /** Index of the low word in `EventLine.words`. */
  readonly targets: Int32Array;
  /** Least and greatest value of decimals that fit 32 bits; greatest is Infinity for 64-bit ones. */
  readonly least: Float64Array;
  readonly greatest: Float64Array;
  /** 1 where the column may be `-`. */
  readonly optional: Uint8Array;
  /** Kind by the literal column's value; index 0 where the tag has no such column. */
  readonly kinds: readonly number[];
}

function planOf(name: EventName, kinds: readonly number[]): TagPlan {
  const { text, code, optional = [] } = eventDefinition(name);
  const steps: [form: number, slot: number, least: number, greatest: number, optional: number][] = [
    [DECIMAL, TIME_SLOT, 0, Infinity, 0],
    [DECIMAL, CPU_SLOT, 0, MAX_CPU, 0],
  ];
  let literal = 0;
  for (const column of text?.columns ?? []) {
    if (typeof column === 'object') {
      literal = column.is;
      steps.push([DECIMAL, LITERAL_SLOT, 0, Math.max(literal, kinds.length - 1), 0]);
      continue;
    }
    const { text: form, storage, min = 0, max = Infinity } = fieldDefinition(column);
    const reads = form === 'rest' ? REST : form !== 'decimal' ? HEX : min < 0 ? SIGNED : DECIMAL;
    const greatest = storage === 'u64' ? Infinity : max;
    steps.push([reads, SLOT[column], min, greatest, optional.includes(column) ? 1 : 0]);
  }
  const kindOf = [...kinds];
  kindOf[literal] = code;
  return {
    forms: Uint8Array.from(steps, ([form]) => form),
    targets: Int32Array.from(steps, ([, slot]) => 2 * slot),
    least: Float64Array.from(steps, ([, , least]) => least),
    greatest: Float64Array.from(steps, ([, , , greatest]) => greatest),
    optional: Uint8Array.from(steps, ([, , , , mayBeAbsent]) => mayBeAbsent),
    kinds: kindOf,
  };
}

/** Plans by the first two bytes of a line, as first + 256 * second; the second may be the blank. */
const PLANS: (TagPlan | undefined)[] = (() => {
  const plans: (TagPlan | undefined)[] = Array.from({ length: 65536 }, () => undefined);
  for (const name of Object.keys(EVENTS) as EventName[]) {
    const { text } = eventDefinition(name);
    if (text === undefined) continue;
    const key = text.tag.charCodeAt(0) + 256 * `${text.tag} `.charCodeAt(1);
    plans[key] = planOf(name, plans[key]?.kinds ?? []);
  }
  return plans;
})();

const BLANK = 0x20;
const DASH = 0x2d;
const LF = 0x0a;

/**
 * Reads one line into `line`.
 *
 * @param bytes input; a LF lies in [start, end)
 * @returns index just past the line's LF, or -1 when the line is not exactly an event of the dialect
 *   (see `whyNotAnEvent` for the reason)
 */
export function readEventLine(
  bytes: Uint8Array,
  start: number,
  end: number,
  line: EventLine,
): number {
  const tag = bytes[start] + 256 * bytes[start + 1];
  let pos = start + (bytes[start + 1] === BLANK ? 1 : 2);
  const plan = PLANS[tag];
  if (plan === undefined) return -1;
  const { forms, targets } = plan;
  const words = line.words;
  line.absent = 0;
  for (let step = 0; step < forms.length; step++) {
    if (bytes[pos] !== BLANK) return -1;
    pos++;
    const form = forms[step];
    const target = targets[step];
    if (bytes[pos] === DASH && plan.optional[step] === 1 && endsColumn(bytes[pos + 1])) {
      line.absent |= 1 << (step - FIRST_COLUMN_STEP);
      words[target] = 0xffff_ffff;
      words[target + 1] = 0xffff_ffff;
      pos++;
    } else if (form === HEX) {
      const first = pos;
      let digit = HEX_DIGIT[bytes[pos]];
      let low = 0;
      const half = first + 8;
      while (digit !== 255 && pos < half) {
        low = (low << 4) | digit;
        digit = HEX_DIGIT[bytes[++pos]];
      }
      let high = 0;
      if (digit !== 255) {
        high = low;
        low = 0;
        while (digit !== 255 && pos < half + 8) {
          low = (low << 4) | digit;
          digit = HEX_DIGIT[bytes[++pos]];
        }
        const missing = 4 * (half + 8 - pos);
        if (missing !== 0) {
          low |= high << (32 - missing);
          high >>>= missing;
        }
      }
      if (pos === first || digit !== 255) return -1;
      words[target] = low;
      words[target + 1] = high;
    } else if (form === DECIMAL) {
      const digit = bytes[pos] - 0x30;
      if (digit < 0 || digit > 9) return -1;
      const next = bytes[pos + 1];
      if (next < 0x30 || next > 0x39) {
        // Most columns are one digit.
        words[target] = digit;
        words[target + 1] = 0;
        pos++;
      } else {
        const first = pos;
        pos = readDecimal(bytes, pos, words, target);
        // A column that tells two events apart is one digit.
        if (target === 2 * LITERAL_SLOT) return -1;
        if (pos - first >= 19 && (pos - first > 19 || words[target + 1] >= 0x8000_0000)) return -1;
      }
      const greatest = plan.greatest[step];
      if (greatest !== Infinity) {
        if (words[target + 1] !== 0 || words[target] > greatest || words[target] < plan.least[step])
          return -1;
      }
    } else if (form === SIGNED) {
      const negative = bytes[pos] === DASH;
      const first = negative ? pos + 1 : pos;
      pos = readDecimal(bytes, first, words, target);
      if (pos === first || pos - first > 18 || words[target + 1] !== 0) return -1;
      const value = negative ? -words[target] : words[target];
      if (value > plan.greatest[step] || value < plan.least[step]) return -1;
      words[target] = value;
      words[target + 1] = value < 0 ? 0xffff_ffff : 0;
    } else {
      line.restStart = pos;
      while (pos < end && bytes[pos] !== LF) {
        if (bytes[pos] < BLANK || bytes[pos] > 0x7e) return -1;
        pos++;
      }
      line.restEnd = pos;
      if (pos - line.restStart > MAX_REST_BYTES) return -1;
    }
  }
  if (bytes[pos] !== LF || pos >= end) return -1;
  line.kind = plan.kinds[plan.kinds.length > 1 ? words[2 * LITERAL_SLOT] : 0];
  line.cpu = words[2 * CPU_SLOT];
  return pos + 1;
}

/** Steps before those of the event's own columns: time and CPU. */
const FIRST_COLUMN_STEP = 2;

function endsColumn(byte: number): boolean {
  return byte === BLANK || byte === LF;
}

/** 16 bytes of comm, each at most `\xNN`. */
const MAX_REST_BYTES = 64;

/** How every event of the dialect begins: tag, time, CPU, a kernel object. */
const LIKE_AN_EVENT = /^([A-Z]{1,3}) \d{1,19} \d{1,5} [0-9a-f]{4,16}(?: |$)/;

/**
 * Says why `readEventLine` refused a line: undefined when it is no event at all, otherwise which column
 * is wrong, or that no event has its tag. Slow; for reports.
 */
export function whyNotAnEvent(text: string): string | undefined {
  // No program prints them: a host that crashed leaves them where it had not written yet.
  if (text.includes('\0'))
    return 'holds zero bytes, as a file that was not written to its end does';
  const words = text.split(' ');
  const tag = words[0];
  const names = (Object.keys(EVENTS) as EventName[]).filter(
    (name) => eventDefinition(name).text?.tag === tag,
  );
  if (names.length === 0) {
    const unknown = LIKE_AN_EVENT.exec(text)?.[1];
    return unknown === undefined
      ? undefined
      : `${unknown}: an event that this version does not know`;
  }
  const columns = ['time', 'cpu', ...(eventDefinition(names[0]).text?.columns ?? [])];
  for (const [index, column] of columns.entries()) {
    const word = words[index + 1];
    const label = typeof column === 'object' ? 'start?' : column;
    if (typeof column === 'object' && isLiteral(names, word)) continue;
    if (word === undefined || word === '') return `${tag}: ${label} is missing`;
    if (word === '-' && isOptional(names[0], label)) continue;
    if (!isColumnValue(label, word)) return `${tag}: ${label} is out of range or not a number`;
    if (label === 'comm') return `${tag}: comm holds raw bytes or is too long`;
  }
  return words.length > columns.length + 1
    ? `${tag}: too many columns`
    : `${tag}: not as the dialect has it`;
}

/** Whether a word is the one that tells some event apart from others with its tag. */
function isLiteral(names: readonly EventName[], word: string): boolean {
  return names.some((name) =>
    eventDefinition(name).text?.columns.some(
      (column) => typeof column === 'object' && String(column.is) === word,
    ),
  );
}

function isOptional(event: EventName, label: string): boolean {
  return eventDefinition(event).optional?.some((field) => field === label) ?? false;
}

function isColumnValue(label: string, word: string): boolean {
  if (label === 'time') return /^\d{1,19}$/.test(word) && BigInt(word) < 2n ** 63n;
  if (label === 'cpu') return /^\d+$/.test(word) && Number(word) <= MAX_CPU;
  if (label === 'start?') return false;
  const field = fieldDefinition(label as FieldName);
  if (field.text === 'rest') return true;
  if (field.text !== 'decimal') return /^[0-9a-f]{1,16}$/.test(word);
  if (!/^-?\d{1,19}$/.test(word)) return false;
  if (field.max === undefined) return !word.startsWith('-') && BigInt(word) < 2n ** 63n;
  return Number(word) >= (field.min ?? 0) && Number(word) <= field.max;
}
