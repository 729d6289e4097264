/** The contract of the lines of `replay export --format ndjson`: one schema, of any line. */
import {
  ACCESSORS,
  decisionOf,
  EVENT_NAMES,
  eventDefinition,
  fieldDefinition,
  OUTCOME_NAMES,
  type EventName,
} from '@vhostscope/model';
import { z } from 'zod';
import { resultHead } from '../result-head.js';
import { FIELDS_OF_KIND, type EventField } from './event-fields.js';

const count = z.number().int().nonnegative();
const decimal = z.string().regex(/^-?\d+$/);

const decided = {
  decision: z.enum(['hit', 'fallback', 'iotlb', 'ambiguous']),
  /** Of a fallback its code, of an ambiguous access a sentence. */
  reason: z
    .string()
    .optional()
    .describe(
      `why a fallback: ${OUTCOME_NAMES.filter((_, outcome) => decisionOf(outcome) === 'fallback').join(', ')}; why ambiguous: a sentence`,
    ),
};

/** Accesses of a stock host, as they follow from an event. */
const derivedAccesses = z.strictObject({
  accessor: z.enum(ACCESSORS.slice(1)),
  n: count.describe('the estimate'),
  least: count,
  most: count.nullable().describe('null where nothing bounds it'),
  ...decided,
});

function fieldSchema({ name, storage, words }: EventField): z.ZodType {
  const { doc } = fieldDefinition(name);
  if (storage === 'u64') return decimal.describe(doc);
  if (words !== undefined)
    return z.string().describe(`one of ${words.filter(Boolean).join(', ')}, or a number: ${doc}`);
  return (storage === 'text' ? z.string() : z.number().int()).describe(doc);
}

/** What no trace holds, but what a design makes of it. */
function judgedFields(kind: EventName): Readonly<Record<string, z.ZodType>> {
  if (kind === 'recording') return { judged: resultHead.describe('how it was judged') };
  if (kind === 'access') return z.object(decided).partial().shape;
  if (kind === 'round_end' || kind === 'counted')
    return { accesses: z.array(derivedAccesses).optional() };
  return {};
}

const lines = EVENT_NAMES.flatMap((kind, code) => {
  if (kind === undefined) return [];
  const { optional = [], doc } = eventDefinition(kind);
  const fields = (FIELDS_OF_KIND[code] ?? []).map((field) => {
    const schema = fieldSchema(field);
    return [field.name, optional.includes(field.name) ? schema.optional() : schema] as const;
  });
  const line = z.strictObject({
    recording: count.describe('from 0'),
    time: decimal.describe(
      'ns, CLOCK_BOOTTIME; of an anonymised export, since the first event of the recording',
    ),
    cpu: count,
    line: count.describe('of what was imported, from 1; 0 where there is none'),
    kind: z.literal(kind),
    ...Object.fromEntries(fields),
    ...judgedFields(kind),
  });
  return [line.describe(doc)];
});

export const ndjsonLineSchema = z.union(lines);
