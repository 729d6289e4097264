/** The reader of the text dialect against an obvious one, and at every edge of every column. */
import { assert, bigInt, constantFrom, integer, nat, property, string, tuple } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventLine, SLOT, TIME_SLOT, type EventLine } from './event-line.js';
import { readEventLine, whyNotAnEvent } from './event-lines.js';
import { fieldDefinition, MAX_CPU, type FieldName } from './event-fields.js';
import { EVENTS, EVENT_NAMES, eventDefinition, type EventName, type TextColumn } from './events.js';

/** What a line says, or undefined where it is no event. */
type Read = { event: EventName | undefined; cpu: number; values: Record<string, bigint | string> };

const TEXT_EVENTS = (Object.keys(EVENTS) as EventName[]).filter(
  (name) => eventDefinition(name).text !== undefined,
);

function columnsOf(name: EventName): readonly TextColumn[] {
  return eventDefinition(name).text?.columns ?? [];
}

/** Reads a line with the reader under test, between bytes that must not matter. */
function read(text: string, line: EventLine = createEventLine()): Read | undefined {
  const around = (filler: string) => Buffer.from(`${filler}${text}\n${filler}`, 'latin1');
  const results = ['7 7 7', 'A 1 0 f'].map((filler) => {
    const bytes = around(filler);
    const end = bytes.length - filler.length;
    const next = readEventLine(bytes, filler.length, end, line);
    if (next < 0) return undefined;
    expect(next).toBe(end);
    const event = EVENT_NAMES[line.kind];
    const values: Read['values'] = { time: word(line, TIME_SLOT, false) };
    for (const [index, column] of (event === undefined ? [] : columnsOf(event)).entries()) {
      if (typeof column === 'object') continue;
      if (((line.absent >>> index) & 1) === 1) {
        values[column] = '-';
        continue;
      }
      const { text: form, min = 0 } = fieldDefinition(column);
      values[column] =
        form === 'rest'
          ? bytes.toString('latin1', line.restStart, line.restEnd)
          : word(line, SLOT[column], min < 0);
    }
    return { event, cpu: line.cpu, values };
  });
  expect(results[1]).toEqual(results[0]);
  return results[0];
}

function word(line: EventLine, slot: number, signed: boolean): bigint {
  const value = (BigInt(line.words[2 * slot + 1]) << 32n) | BigInt(line.words[2 * slot]);
  return signed ? BigInt.asIntN(64, value) : value;
}

/** The obvious reader. */
function readObviously(text: string): Read | undefined {
  for (const event of TEXT_EVENTS) {
    const { tag, columns } = eventDefinition(event).text!;
    const { optional = [] } = eventDefinition(event);
    const forms = columns.map((column) => {
      if (typeof column === 'object') return String(column.is).padStart(1);
      const { text: form, min = 0 } = fieldDefinition(column);
      const absent = optional.includes(column) ? '|-' : '';
      if (form === 'rest') return '([ -~]{0,64})';
      if (form !== 'decimal') return `([0-9a-f]{1,16}${absent})`;
      return min < 0 ? `(-?[0-9]{1,18}${absent})` : `([0-9]{1,19}${absent})`;
    });
    const match = new RegExp(
      `^${[tag, '([0-9]{1,19})', '([0-9]{1,19})', ...forms].join(' ')}$`,
    ).exec(text);
    if (match === null) continue;
    const [, time, cpu, ...rest] = match;
    const values: Read['values'] = { time: BigInt(time) };
    const names = columns.filter((column): column is FieldName => typeof column === 'string');
    for (const [index, name] of names.entries()) {
      const { text: form } = fieldDefinition(name);
      values[name] =
        form === 'rest' || rest[index] === '-'
          ? rest[index]
          : BigInt(form === 'decimal' ? rest[index] : `0x${rest[index]}`);
    }
    const isLegal = names.every((name) => {
      const { min = 0, max, text: form } = fieldDefinition(name);
      const value = values[name];
      if (form !== 'decimal' || typeof value === 'string') return true;
      return value >= BigInt(min) && value <= (max === undefined ? 2n ** 63n - 1n : BigInt(max));
    });
    if (!isLegal || BigInt(time) >= 2n ** 63n || Number(cpu) > MAX_CPU) return undefined;
    return { event, cpu: Number(cpu), values };
  }
  return undefined;
}

/** A line of an event whose columns are all legal, but for those given. */
function lineOf(event: EventName, given: Partial<Record<string, string>> = {}): string {
  const { tag, columns } = eventDefinition(event).text!;
  const words = columns.map((column) => {
    if (typeof column === 'object') return String(column.is);
    const { text, min } = fieldDefinition(column);
    return given[column] ?? (text === 'rest' ? 'comm' : String(Math.max(min ?? 1, 0)));
  });
  return [tag, given['time'] ?? '1', given['cpu'] ?? '0', ...words].join(' ');
}

describe.each(TEXT_EVENTS)('%s', (event) => {
  it('is read as the table has it', () => {
    expect(read(lineOf(event))).toEqual(readObviously(lineOf(event)));
    expect(read(lineOf(event))?.event).toBe(event);
  });

  it.each(
    columnsOf(event).filter(
      (column): column is FieldName =>
        typeof column === 'string' && fieldDefinition(column).text === 'decimal',
    ),
  )('%s is rejected just outside its range, and read at its ends', (column) => {
    const { min = 0, max } = fieldDefinition(column);
    const least = BigInt(min);
    const greatest = max === undefined ? 2n ** 63n - 1n : BigInt(max);
    for (const value of [least, greatest]) {
      expect(read(lineOf(event, { [column]: String(value) }))?.values[column]).toBe(value);
    }
    for (const value of [least - 1n, greatest + 1n, 10n ** 19n, 10n ** 40n]) {
      const text = lineOf(event, { [column]: String(value) });
      expect(read(text)).toBeUndefined();
      expect(whyNotAnEvent(text)).toContain(column);
    }
  });

  it.each(
    columnsOf(event).filter(
      (column): column is FieldName =>
        typeof column === 'string' && /hex|pointer/.test(fieldDefinition(column).text),
    ),
  )('%s is hex of 1 to 16 digits', (column) => {
    for (let digits = 1; digits <= 16; digits++) {
      const hex = 'fedcba9876543210'.slice(0, digits);
      expect(read(lineOf(event, { [column]: hex }))?.values[column]).toBe(BigInt(`0x${hex}`));
    }
    for (const hex of ['', '0fedcba9876543210', '0x1', 'F', 'g', '-1']) {
      const text = lineOf(event, { [column]: hex });
      expect(read(text)).toBeUndefined();
      expect(whyNotAnEvent(text)).toContain(column);
    }
  });

  it('is rejected with blanks too few or too many, and with columns missing', () => {
    const words = lineOf(event).split(' ');
    const hasRest = columnsOf(event).includes('comm');
    for (let at = 1; at < words.length; at++) {
      const double = [...words.slice(0, at), '', ...words.slice(at)].join(' ');
      const missing = [...words.slice(0, at), ...words.slice(at + 1)].join(' ');
      if (!hasRest || at < words.length - 1) expect(read(double)).toBeUndefined();
      expect(read(missing)).toBeUndefined();
      expect(whyNotAnEvent(missing)).toBeDefined();
    }
    expect(read(` ${lineOf(event)}`)).toBeUndefined();
    if (!hasRest) expect(read(`${lineOf(event)} `)).toBeUndefined();
    if (!hasRest) expect(whyNotAnEvent(`${lineOf(event)} 1`)).toContain('too many');
  });

  it('times are exact to 2^63 - 1', () => {
    for (const time of [0n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n]) {
      expect(read(lineOf(event, { time: String(time) }))?.values['time']).toBe(time);
    }
    for (const time of ['9223372036854775808', '18446744073709551616', '99999999999999999999']) {
      expect(read(lineOf(event, { time }))).toBeUndefined();
      expect(whyNotAnEvent(lineOf(event, { time }))).toContain('time');
    }
    expect(read(lineOf(event, { cpu: String(MAX_CPU) }))?.cpu).toBe(MAX_CPU);
    expect(read(lineOf(event, { cpu: String(MAX_CPU + 1) }))).toBeUndefined();
  });
});

describe('what is not known is -', () => {
  it.each(TEXT_EVENTS)('in the optional columns of %s, and nowhere else', (event) => {
    const { optional = [] } = eventDefinition(event);
    for (const column of columnsOf(event)) {
      if (typeof column === 'object' || fieldDefinition(column).text === 'rest') continue;
      const text = lineOf(event, { [column]: '-' });
      if (optional.includes(column)) expect(read(text)?.values[column]).toBe('-');
      else {
        expect(read(text)).toBeUndefined();
        expect(whyNotAnEvent(text)).toContain(column);
      }
      expect(read(lineOf(event, { [column]: '--' }))).toBeUndefined();
    }
  });
});

describe('comm', () => {
  it.each(['', ' ', 'a b', ' lead', 'trail ', '\\x00\\xff', '~', 'x'.repeat(64)])('%j', (comm) => {
    expect(read(lineOf('range_start', { comm }))?.values['comm']).toBe(comm);
  });

  it.each(['x'.repeat(65), 'tab\t', 'cr\r', '\x7f', '\xe9'])('%j is no comm', (comm) => {
    expect(read(lineOf('range_start', { comm }))).toBeUndefined();
    expect(whyNotAnEvent(lineOf('range_start', { comm }))).toContain('comm');
  });
});

describe('negative numbers', () => {
  it.each(['-0', '-1', '-14', '-1000', '-2147483648'])('%s', (result) => {
    expect(read(lineOf('prefetch', { result }))?.values['result']).toBe(BigInt(result));
  });

  it.each(['-', '--1', '-2147483649', '+1', '1-'])('%s is none', (result) => {
    expect(read(lineOf('prefetch', { result }))).toBeUndefined();
    expect(whyNotAnEvent(lineOf('prefetch', { result }))).toContain('result');
  });
});

describe('properties', () => {
  const decimals = bigInt({ min: 0n, max: 2n ** 64n }).map(String);
  const hexes = bigInt({ min: 0n, max: 2n ** 64n - 1n }).map((value) => value.toString(16));
  const events = constantFrom(...TEXT_EVENTS);

  it('reads what the obvious reader reads, also right after another line', () => {
    const line = createEventLine();
    const values = tuple(decimals, hexes, integer(), nat(20), string({ unit: 'binary-ascii' }));
    assert(
      property(events, values, nat(12), (event, [decimal, hex, signed, small, rest], odd) => {
        const given: Record<string, string> = { time: decimal };
        for (const [index, column] of columnsOf(event).entries()) {
          if (typeof column === 'object') continue;
          const { text, min = 0 } = fieldDefinition(column);
          const fits = min < 0 ? String(signed) : String(small);
          given[column] =
            text === 'rest' ? rest : text !== 'decimal' ? hex : index === odd ? decimal : fits;
        }
        const text = lineOf(event, given).replaceAll('\n', '');
        expect(read(text, line)).toEqual(readObviously(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it('mutated lines never throw, are read as the obvious reader does, or somebody says why not', () => {
    const line = createEventLine();
    const mutation = tuple(
      nat(),
      constantFrom(...Array.from(' 0123456789abcdfgAXRZ-\t\0\xff')),
      nat(2),
    );
    assert(
      property(events, mutation, mutation, (event, ...mutations) => {
        let text = lineOf(event, { time: '17082736450', vq: 'ffff8f22cd610100' });
        for (const [at, character, skip] of mutations) {
          const place = at % (text.length + 1);
          text = `${text.slice(0, place)}${character}${text.slice(place + skip)}`;
        }
        const got = read(text, line);
        expect(got).toEqual(readObviously(text));
        const isTag = TEXT_EVENTS.some((name) =>
          text.startsWith(`${eventDefinition(name).text!.tag} `),
        );
        if (got === undefined && isTag) expect(whyNotAnEvent(text)).toBeTypeOf('string');
      }),
      { numRuns: 5_000 },
    );
  });

  it('never looks beyond the end', () => {
    const line = createEventLine();
    assert(
      property(events, nat(), (event, cut) => {
        const bytes = Buffer.from(`${lineOf(event)}\n`);
        const end = cut % bytes.length; // the LF lies beyond
        expect(readEventLine(bytes, 0, end, line)).toBe(-1);
      }),
    );
  });

  it('other lines are no events', () => {
    for (const text of [
      '',
      ' ',
      '#',
      '# vhost-oracle 1',
      'B 1 0 f',
      'AA 1 0 f',
      'a 1 0 f',
      'ISX 1',
    ]) {
      expect(read(text)).toBeUndefined();
      expect(whyNotAnEvent(text)).toBeUndefined();
    }
  });
  it('an event of another dialect, and a hole of zeros, are not what another program printed', () => {
    expect(whyNotAnEvent('Q 40786429335 0 ffff894f868c0000 7')).toBe(
      'Q: an event that this version does not know',
    );
    expect(whyNotAnEvent('\0\0\0M 5 0 ff10')).toMatch(/^holds zero bytes/);
    for (const text of ['OK 1 0 done', 'Q 5 0', 'Total 5 0 ffff', 'Q 5 0 ffffx'])
      expect(whyNotAnEvent(text)).toBeUndefined();
  });
});
