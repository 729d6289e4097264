import { parse } from '../src/index.js';

/** What a line or several become, without line numbers. */
export function messagesOf(input: string): unknown[] {
  return parse(`${input}\n`).map((message) =>
    Object.fromEntries(Object.entries(message).filter(([name]) => name !== 'line')),
  );
}

/** Bodies of messages, as the tests expect them. */
export const scalar = (name: string, value: unknown): object => ({
  type: 'map',
  name,
  keyed: false,
  value,
});
export const keyed = (name: string, ...entries: (readonly [string, unknown])[]): object => ({
  type: 'map',
  name,
  keyed: true,
  entries: entries.map(([key, value]) => ({ key, value })),
});
export const bucket = (min: bigint | null, max: bigint | null, count: bigint): object => ({
  min,
  max,
  count,
});

export function hist(name: string, value: readonly object[]): object {
  return { type: 'hist', complete: true, name, keyed: false, value };
}

export function stats(
  name: string,
  key: string | undefined,
  [count, average, total]: readonly (bigint | null)[],
): object {
  const value = { count, average, total };
  if (key === undefined) return { type: 'stats', name, keyed: false, value };
  return { type: 'stats', name, keyed: true, entries: [{ key, value }] };
}
