/** An event as a plain object, for tests: one object per event, BigInt for times and addresses. */
import type { FieldName } from '../src/event-fields.ts';
import type { EventName } from '../src/events.ts';

export type EventRecord = { event: EventName; time: bigint; cpu: number } & Partial<
  Record<FieldName, number | bigint | string>
>;

/** The value of a field as a number; throws where the event lacks it. */
export function numberOf(record: EventRecord, field: FieldName): number {
  const value = record[field];
  if (typeof value !== 'number') throw new Error(`${record.event}: ${field} is ${String(value)}`);
  return value;
}

/** The value of a field as a BigInt; throws where the event lacks it. */
export function bigintOf(record: EventRecord, field: FieldName): bigint {
  const value = record[field];
  if (typeof value === 'bigint') return value;
  return BigInt(numberOf(record, field));
}
