/** What Perfetto shows of an event: its name, and what stands beside it. */
import {
  fieldDefinition,
  hasDetail,
  INVALIDATION_CAUSES,
  KIND,
  wordsAt,
  type EventBatch,
} from '@vhostscope/model';
import { printable } from '@vhostscope/terminal';
import type { ResultHead } from '../../result-head.js';
import { FIELDS_OF_KIND } from '../event-fields.js';
import type { Annotations } from './packet-sequence.js';

/** What a start and its end have in common; those of several alike cannot be told apart. */
export function keyOf({ detail, details }: EventBatch, i: number): string {
  const at = detail[i] ?? 0;
  const { owner, start, end, pid } = details;
  return `${owner[at]} ${start[2 * at + 1]}.${start[2 * at]} ${end[2 * at + 1]}.${end[2 * at]} ${pid[at]}`;
}

/** Which class of invalidation a kernel stack makes; undefined where nobody knows. */
export type ClassOfStack = (stack: bigint) => string | undefined;

/** The class of its stack says more than the memory manager's word. */
export function nameOf(
  { kind, detail, details }: EventBatch,
  i: number,
  classOf: ClassOfStack | undefined,
): string {
  const at = detail[i] ?? 0;
  if (classOf !== undefined && hasDetail(details, at, 'stack')) {
    const known = classOf(wordsAt(details.stack, at));
    if (known !== undefined) return known;
  }
  if (kind[i] === KIND.tlb_flush) return 'TLB flush';
  const cause = details.cause[at] ?? 0;
  return INVALIDATION_CAUSES[cause] ?? `cause ${cause}`;
}

/** All fields of an event but those that its track tells. */
export function annotationsOf(batch: EventBatch, i: number): Annotations {
  const found: Record<string, string | number | bigint> = {};
  for (const field of FIELDS_OF_KIND[batch.kind[i] ?? 0] ?? []) {
    const { name } = field;
    if (name === 'vq' || name === 'dev' || name === 'owner') continue;
    const value = field.read(batch, i);
    if (value === undefined) continue;
    if (typeof value === 'string') found[name] = printable(value);
    // Addresses are shown in hex, counts and numbers of things are not.
    else if (typeof value === 'number' || fieldDefinition(name).text === 'hex') found[name] = value;
    else found[name] = value <= Number.MAX_SAFE_INTEGER ? Number(value) : String(value);
  }
  found['line'] = batch.line[i] ?? 0;
  return found;
}

/** What the answer rests on. */
export function judgementOf(head: ResultHead): Annotations {
  const { trace, design, order, preemption, host, complete, assumptions, damage } = head;
  const said: Record<string, string | boolean> = {
    trace: printable(trace),
    design,
    order,
    order_reason: head.order_reason,
    preemption,
    host,
    complete: complete ?? 'not known',
  };
  for (const [number, text] of assumptions.entries()) said[`assumption ${number + 1}`] = text;
  for (const [number, text] of damage.entries()) said[`damage ${number + 1}`] = printable(text);
  return said;
}
