import { expect, it } from 'vitest';
import { nanoseconds, readingOfText, textOfReading } from './run-clock.js';

it.each([
  ['1970-01-01T00:00:01Z', 1_000_000_000n],
  ['2026-11-28T00:44:53.123456789Z', 1_795_826_693_123_456_789n],
  ['2026-11-28T00:44:53.1Z', 1_795_826_693_100_000_000n],
])('%s', (text, ns) => {
  expect(nanoseconds(text)).toBe(ns);
});

it('what is no time is none', () => {
  for (const text of ['', 'now', '2026-11-28T00:44:53', '2026-99-28T00:44:53Z', '1.5Z'])
    expect(() => nanoseconds(text)).toThrow('tells no time');
});

it('a reading is given back as it was, and nothing else is one', () => {
  const reading = { clock: 'CLOCK_BOOTTIME', at: 5n, offset: -(2n ** 60n), uncertainty: 7n };
  expect(readingOfText(textOfReading(reading))).toEqual(reading);
  for (const text of ['', '{}', 'null', '[1]', textOfReading(reading).replace('"5"', '"x"')])
    expect(readingOfText(text)).toBeUndefined();
});
