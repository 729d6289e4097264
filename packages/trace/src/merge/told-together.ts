/**
 * Who tells what of a host. What happens there once two recorders may tell twice, at times that differ by the way to
 * the probe: so no time tells that two events are one. But both tell an event on the CPU on which it happened. So of
 * each kind of event of a virtqueue, device or process, those of one CPU are taken from one source: the first that
 * tells any of that kind. What no source before tells is never left out.
 */
import {
  EVENT_NAMES,
  eventDefinition,
  KIND,
  NO_VQ,
  type EventBatch,
  type EventName,
} from '@vhostscope/model';

/**
 * Kinds that tell the same in other ways go with one another, under the first of them. Starts and ends do not: a source
 * may tell only one of them, which says nothing of the other.
 */
const TOGETHER: readonly (readonly EventName[])[] = [
  // What a round accessed follows from its end, too, and from counters.
  ['access', 'counted', 'round_end'],
];

/** What a kind says of the host is of whom. */
const NOBODY = 0;
const VIRTQUEUE = 1;
const DEVICE = 2;
const PROCESS = 3;
/** Of a CPU, as heartbeats. */
const CPU = 4;

/** Per kind: the first kind of those that it goes with, and of whom it tells. */
const LEADS = new Uint8Array(256);
const OF_WHOM = new Uint8Array(256);
for (const [code, name] of EVENT_NAMES.entries()) {
  if (name === undefined) continue;
  const first = TOGETHER.find((kinds) => kinds.includes(name))?.[0] ?? name;
  LEADS[code] = KIND[first];
  OF_WHOM[code] = whomOf(name);
}

function whomOf(name: EventName): number {
  const { fields, text } = eventDefinition(name);
  // Marks, losses and stacks: of who records.
  if (text === undefined) return NOBODY;
  if (fields.includes('vq')) return VIRTQUEUE;
  if (fields.includes('dev')) return DEVICE;
  return fields.includes('owner') ? PROCESS : CPU;
}

/** What one event is told together with, as a number; 0 where every source tells its own. */
export type ToldOf = number;

const CPUS = 8192;
const KINDS = 256;

/** HOT: once an event. Ids are those of the source. */
export function toldOf({ kind, vq, detail, details, cpu }: EventBatch, row: number): ToldOf {
  const code = kind[row];
  switch (OF_WHOM[code]) {
    case VIRTQUEUE:
      return vq[row] === NO_VQ ? 0 : (vq[row] * CPUS + cpu) * KINDS + LEADS[code];
    case DEVICE:
      return (details.dev[detail[row]] * CPUS + cpu) * KINDS + LEADS[code];
    case PROCESS:
      return (details.owner[detail[row]] * CPUS + cpu) * KINDS + LEADS[code];
    case CPU:
      return cpu * KINDS + LEADS[code];
    default:
      return 0;
  }
}

/** Of what is told together, what is of one kind. */
export function ofKind(told: ToldOf, kind: number): ToldOf {
  return told - (told % KINDS) + kind;
}

/** Of what is told together, what is of each of its kinds. */
export function ofEachKind(told: ToldOf): readonly ToldOf[] {
  const kinds = TOGETHER.find(([first]) => KIND[first] === told % KINDS) ?? [];
  return kinds.map((name) => ofKind(told, KIND[name]));
}

/** What a recorder tells when it comes to it: when it first sees a ring, or looks at its pages. */
const FOUND: ReadonlySet<number> = new Set<number>([KIND.addresses, KIND.iotlb, KIND.pages]);

/** Whether a kind is told when it happens. */
export function isTimely(kind: number): boolean {
  return !FOUND.has(kind);
}

/**
 * Whether a kind tells of what happened on the host. Heartbeats tell of the recorder, and what is known of a virtqueue
 * is taken from every source, whatever is left out.
 */
export function tellsWhatHappened(kind: number): boolean {
  return OF_WHOM[kind] !== CPU && kind !== KIND.virtqueue;
}

/** The same, of an id that stands for another in the merged trace. */
export function renamed(told: ToldOf, vqs: Uint32Array, devs: Uint32Array): ToldOf {
  const kind = told % KINDS;
  const whom = OF_WHOM[kind];
  if (whom !== VIRTQUEUE && whom !== DEVICE) return told;
  const rest = told % (CPUS * KINDS);
  const id = (told - rest) / (CPUS * KINDS);
  return (whom === VIRTQUEUE ? vqs[id] : devs[id]) * CPUS * KINDS + rest;
}
