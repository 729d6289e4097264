/**
 * zod schemas of events as plain objects, for the edges: exports, fixtures, other people's tools. All
 * derived from the table of events. 64-bit values are decimal strings outside and BigInt inside:
 * `parse` (or `decode`) reads the former, `encode` writes them.
 */
import { z } from 'zod';
import {
  type FIELDS,
  MAX_CPU,
  fieldDefinition,
  type FieldName,
  type Storage,
} from './event-fields.js';
import { EVENTS, eventDefinition, type EventName } from './events.js';

/** What a stored value is in memory and, if that differs, in JSON. */
type Stored<Of extends Storage, U64> = Of extends 'u64' ? U64 : Of extends 'text' ? string : number;
type FieldValue<Field extends FieldName, U64> = Stored<(typeof FIELDS)[Field]['storage'], U64>;
type OptionalField<Name extends EventName> = (typeof EVENTS)[Name] extends {
  readonly optional: readonly (infer Field)[];
}
  ? Field & FieldName
  : never;
type EventOf<Name extends EventName, U64> = { event: Name; time: U64; cpu: number } & {
  [Field in Exclude<(typeof EVENTS)[Name]['fields'][number], OptionalField<Name>>]: FieldValue<
    Field,
    U64
  >;
} & { [Field in OptionalField<Name>]?: FieldValue<Field, U64> | undefined };

/** An event in memory, and as JSON. */
export type EventObject<Name extends EventName> = EventOf<Name, bigint>;
export type EventJson<Name extends EventName> = EventOf<Name, string>;

function decimal64(greatest: bigint) {
  return z.codec(z.string().regex(/^(0|[1-9][0-9]{0,19})$/), z.bigint().min(0n).max(greatest), {
    decode: (digits) => BigInt(digits),
    encode: (value) => String(value),
  });
}

const TIME = decimal64(2n ** 63n - 1n);
const U64 = decimal64(2n ** 64n - 1n);

function fieldSchema(name: FieldName): z.ZodType {
  const { storage, min = 0, max = 0xffff_ffff, doc } = fieldDefinition(name);
  if (storage === 'u64') return U64.describe(doc);
  if (storage === 'text')
    return z
      .string()
      .regex(/^[ -~]*$/)
      .describe(doc);
  return z.int().min(min).max(max).describe(doc);
}

function eventSchema(event: EventName): z.ZodType {
  const { fields, optional = [], doc } = eventDefinition(event);
  const shape = fields.map((field) => {
    const schema = fieldSchema(field);
    return [field, optional.includes(field) ? schema.optional() : schema] as const;
  });
  return z
    .strictObject({
      event: z.literal(event),
      time: TIME.describe('ns, CLOCK_BOOTTIME'),
      cpu: z.int().min(0).max(MAX_CPU),
      ...Object.fromEntries(shape),
    })
    .describe(doc);
}

/** The schema of each kind of event. */
export const EVENT_SCHEMAS = Object.fromEntries(
  (Object.keys(EVENTS) as EventName[]).map((name) => [name, eventSchema(name)]),
) as unknown as {
  readonly [Name in EventName]: z.ZodType<EventObject<Name>, EventJson<Name>>;
};
