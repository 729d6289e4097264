/** How to read the fields of a foreign event: the table of `foreign-events.ts` made ready for the loop. */
import {
  EVENTS,
  eventDefinition,
  fieldDefinition,
  LITERAL_SLOT,
  SLOT,
  type EventName,
} from '@vhostscope/model';
import {
  FOREIGN_EVENTS,
  FOREIGN_FIELDS,
  FROM_HEADER,
  LIKE_PROBE,
  type ForeignColumn,
  type ForeignEvent,
} from './foreign-events.js';

/** A column that is read from a field. */
export interface ColumnPlan {
  readonly column: ForeignColumn;
  /** What the field may be called, in bytes. */
  readonly names: readonly Uint8Array[];
  /** Index of the low word in `EventLine.words`. */
  readonly target: number;
  /** Bits that a value fills: what is printed without its type comes in 32 or 64, signed or not. */
  readonly isWide: boolean;
  readonly isSigned: boolean;
  /** Least and greatest value of those that fit 32 bits. */
  readonly least: number;
  readonly greatest: number;
  readonly isOptional: boolean;
  /** Its bit in `EventLine.absent`. */
  readonly absent: number;
}

export interface EventPlan {
  readonly name: string;
  readonly columns: readonly ColumnPlan[];
  /** The column of the device; -1 where there is none. */
  readonly device: number;
  /** Whether the event has one place in the kernel, so that `name_1` is another probe there. */
  readonly isOnePlace: boolean;
  /** Columns of which no field tells, and which the event may lack. */
  readonly absent: number;
  /** Kind by the value of the column `is`, which lies in this word; one, and -1, where there is none. */
  readonly kinds: readonly number[];
  readonly selector: number;
  /** Whether the thread's name and its process belong to the event. */
  readonly namesThread: boolean;
}

function planOf({ names, events, isOnePlace = false }: ForeignEvent): EventPlan {
  const event: EventName = events[0];
  const { text, optional = [] } = eventDefinition(event);
  const columns: ColumnPlan[] = [];
  let absent = 0;
  let namesThread = false;
  for (const [index, entry] of (text?.columns ?? []).entries()) {
    if (typeof entry === 'object') {
      if (events.length === 2) columns.push(literalPlan(events.length));
      continue;
    }
    if (FROM_HEADER.has(entry)) {
      namesThread = true;
      continue;
    }
    const isOptional = optional.some((name) => name === entry);
    // Stacks are numbers of a recording of ours.
    if (entry === 'stack') {
      absent |= 1 << index;
      continue;
    }
    const { storage, min = 0, max = Infinity } = fieldDefinition(entry);
    columns.push({
      column: entry,
      names: namesOf(entry),
      target: 2 * SLOT[entry],
      // A pointer is an address, however small the id is that takes its place.
      isWide: storage === 'u64' || fieldDefinition(entry).text === 'pointer',
      isSigned: min < 0,
      least: min,
      greatest: max,
      isOptional,
      absent: 1 << index,
    });
  }
  return {
    name: names[0] ?? event,
    columns,
    device: columns.findIndex(({ column }) => column === 'dev'),
    isOnePlace,
    absent,
    kinds: events.map((name) => EVENTS[name].code),
    selector: events.length === 2 ? 2 * LITERAL_SLOT : -1,
    namesThread,
  };
}

function literalPlan(kinds: number): ColumnPlan {
  return {
    column: 'is',
    names: namesOf('is'),
    target: 2 * LITERAL_SLOT,
    isWide: false,
    isSigned: false,
    least: 0,
    greatest: kinds - 1,
    isOptional: false,
    absent: 0,
  };
}

function namesOf(column: ForeignColumn): Uint8Array[] {
  return [column, ...(FOREIGN_FIELDS[column] ?? [])].map((name) => new TextEncoder().encode(name));
}

/** Plans by the events' names: in full, and without their group. */
const PLANS: ReadonlyMap<string, EventPlan> = (() => {
  const plans = new Map<string, EventPlan>();
  for (const event of FOREIGN_EVENTS) {
    const plan = planOf(event);
    for (const name of event.names) {
      const [group = '', short = ''] = name.split(':');
      plans.set(name, plan);
      plans.set(short, plan);
      if (group === 'probe') for (const like of LIKE_PROBE) plans.set(`${like}:${short}`, plan);
    }
  }
  return plans;
})();

/** Of a function that is inlined `perf probe` makes an event for each place: `name`, `name_1`, `name_2`. */
const INSTANCE = /_\d+$/;

/** The plan of an event as it is named in a text; undefined when it is none of ours. */
export function planNamed(name: string): EventPlan | undefined {
  return PLANS.get(name) ?? PLANS.get(name.replace(INSTANCE, ''));
}

/** Of the names of a probe's places the one that they have in common. */
export function baseName(name: string, { isOnePlace }: EventPlan): string {
  return isOnePlace || PLANS.has(name) ? name : name.replace(INSTANCE, '');
}

/** Plans by names as they stand in a text. Remembers the latest ones: nearly all lines have one of few. */
export interface EventNames {
  readonly known: { readonly name: Uint8Array; readonly plan: EventPlan | undefined }[];
  next: number;
}

const REMEMBERED = 16;
/** Longer ones are not remembered: the kernel's are shorter. */
const MAX_NAME_BYTES = 128;

export function createEventNames(): EventNames {
  return { known: [], next: 0 };
}

/** The plan of the event whose name are these bytes. */
export function findPlan(
  names: EventNames,
  bytes: Uint8Array,
  start: number,
  end: number,
): EventPlan | undefined {
  const { known } = names;
  for (let i = 0; i < known.length; i++) {
    if (areBytes(bytes, start, end, known[i].name)) return known[i].plan;
  }
  if (end - start > MAX_NAME_BYTES) return undefined;
  const name = bytes.slice(start, end);
  const plan = planNamed(new TextDecoder().decode(name));
  known[names.next] = { name, plan };
  names.next = (names.next + 1) % REMEMBERED;
  return plan;
}

/** Whether a piece of `bytes` are those of a name. */
export function areBytes(bytes: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name[i]) return false;
  return true;
}
