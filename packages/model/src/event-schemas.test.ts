/** The schemas of events against the table they are derived from. */
import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { fieldDefinition } from './event-fields.js';
import { EVENTS, eventDefinition, type EventName } from './events.js';
import { EVENT_SCHEMAS } from './event-schemas.js';

const NAMES = Object.keys(EVENTS) as EventName[];

/** An event with the least or greatest value in every field. */
function extreme(event: EventName, end: 'min' | 'max'): Record<string, unknown> {
  const values = eventDefinition(event).fields.map((field) => {
    const { storage, min = 0, max = 0xffff_ffff } = fieldDefinition(field);
    if (storage === 'text') return [field, 'a b\\x00'];
    if (storage === 'u64') return [field, end === 'min' ? '0' : '18446744073709551615'];
    return [field, end === 'min' ? min : max];
  });
  return { event, time: '9223372036854775807', cpu: 0, ...Object.fromEntries(values) };
}

describe('event schemas', () => {
  it('there is one for every kind', () => {
    expect(Object.keys(EVENT_SCHEMAS)).toEqual(NAMES);
  });

  it.each(NAMES)('%s: reads and writes the same, and nothing else', (event) => {
    const schema: z.ZodType = EVENT_SCHEMAS[event];
    for (const end of ['min', 'max'] as const) {
      const json = extreme(event, end);
      expect(schema.encode(schema.parse(json))).toEqual(json);
      expect(schema.safeParse({ ...json, surprise: 1 }).success).toBe(false);
      expect(schema.safeParse({ ...json, event: 'other' }).success).toBe(false);
      for (const time of ['-1', '01', '9223372036854775808', '1e3', 1]) {
        expect(schema.safeParse({ ...json, time }).success).toBe(false);
      }
      for (const field of eventDefinition(event).fields) {
        const isOptional = eventDefinition(event).optional?.includes(field) ?? false;
        const { [field]: _left, ...without } = json;
        expect(schema.safeParse(without).success).toBe(isOptional);
        const { storage, min = 0, max = 0xffff_ffff } = fieldDefinition(field);
        const wrong =
          storage === 'text'
            ? ['\n', 1]
            : storage === 'u64'
              ? ['18446744073709551616', 1, '0x1', '']
              : [min - 1, max + 1, 0.5, '1'];
        for (const value of wrong) {
          expect(schema.safeParse({ ...json, [field]: value }).success).toBe(false);
        }
      }
    }
  });

  it('keeps 64 bits', () => {
    const { address } = EVENT_SCHEMAS.addresses.parse({
      event: 'addresses',
      time: '1',
      cpu: 0,
      vq: 0,
      area: 0,
      address: '9007199254740993',
      size: '1',
    });
    expect(address).toBe(9007199254740993n);
  });
});
