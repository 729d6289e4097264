/** What the printed lines are read as, by the dialect's own reader. */
import {
  createEventLine,
  EVENT_NAMES,
  EVENTS,
  eventDefinition,
  fieldDefinition,
  readEventLine,
  SLOT,
  type EventName,
} from '@vhostscope/model';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventPrintf, NOT_KNOWN } from './event-printf.js';

const PRINTED = (Object.keys(EVENTS) as EventName[]).filter(
  (name) => eventDefinition(name).text !== undefined,
);

/** What bpftrace prints for a statement: its format, filled with the values of its expressions. */
function run(statement: string, values: Readonly<Record<string, bigint | string>>): string {
  const [, format = '', list = ''] = /^printf\("(.*)\\n", (.*)\);$/.exec(statement) ?? [];
  const expressions = list.split(', ');
  return format.replaceAll(/%(llu|llx|u|d|r)/g, (_, form: string) => {
    const value = values[expressions.shift() ?? ''] ?? 0n;
    if (typeof value === 'string') return value;
    // %d and %u are 32 bits wide in bpftrace 0.17.
    if (form === 'u') return String(BigInt.asUintN(32, value));
    if (form === 'd') return String(BigInt.asIntN(32, value));
    return form === 'llx' ? value.toString(16) : String(value);
  });
}

describe.each(PRINTED)('%s', (event) => {
  const { text, optional = [] } = eventDefinition(event);
  const columns = (text?.columns ?? []).filter((column) => typeof column === 'string');

  it('is read as what was printed', () => {
    const value = (name: (typeof columns)[number]): fc.Arbitrary<bigint | string> => {
      const { text: form, storage, min = 0, max = 0x7fff_ffff } = fieldDefinition(name);
      if (form === 'rest') return fc.constantFrom('load', 'a b', '\\x1b[2J');
      if (storage === 'u64' || form === 'pointer') return fc.bigInt(0n, 2n ** 63n - 1n);
      return fc.bigInt(BigInt(min), BigInt(Math.min(max, 0x7fff_ffff)));
    };
    const given = fc.record(Object.fromEntries(columns.map((name) => [name, value(name)])));
    const absences = fc.subarray(columns.filter((name) => optional.includes(name)));
    fc.assert(
      fc.property(given, absences, (values, absent) => {
        const expressions = Object.fromEntries(
          columns.map((name) => [name, absent.includes(name) ? NOT_KNOWN : `$${name}`]),
        );
        const printed = run(eventPrintf(event, expressions), {
          nsecs: 12n,
          cpu: 3n,
          ...Object.fromEntries(columns.map((name) => [`$${name}`, values[name] ?? 0n])),
        });
        const line = createEventLine();
        const bytes = Buffer.from(`${printed}\n`);
        expect(readEventLine(bytes, 0, bytes.length, line)).toBe(bytes.length);
        expect(EVENT_NAMES[line.kind]).toBe(event);
        for (const name of columns) {
          const wanted = values[name];
          if (typeof wanted !== 'bigint' || absent.includes(name)) continue;
          const slot = 2 * SLOT[name];
          const read = (BigInt(line.words[slot + 1] ?? 0) << 32n) | BigInt(line.words[slot] ?? 0);
          expect(BigInt.asIntN(64, read)).toBe(wanted);
        }
      }),
    );
  });
});

describe('a defect of the caller', () => {
  it.each([
    ['an unknown column', 'round', { vq: '$vq', area: '0' }, 'round has no column area'],
    ['a missing one', 'round', {}, 'round: no vq'],
    ['what is always known', 'round', { vq: NOT_KNOWN }, 'round: vq is always known'],
    ['an event without a text form', 'recording', {}, 'recording is printed by nobody'],
  ] as const)('%s', (_, event, columns, message) => {
    expect(() => eventPrintf(event, columns)).toThrow(message);
  });
});
