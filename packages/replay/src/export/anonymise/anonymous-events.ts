/**
 * The events of a trace without what identifies a host. A pass over the trace learns first when its recordings begin,
 * which processes there are, in the order of time, and whose memory is whose; then batches are replaced one by one.
 * The engine is given what is told, and so decides as whoever has the export only would.
 */
import {
  commAt,
  DETAIL_BIT,
  hasDetail,
  KIND,
  NO_VQ,
  wordsAt,
  type DetailColumns,
  type EventBatch,
  type TextColumnData,
} from '@vhostscope/model';
import { visitTrace, type OpenTrace, type RunVisitor } from '@vhostscope/trace';
import type { EventView } from '../event-view.js';
import { createAddressSpaces, type AddressSpaces, type SpaceKey } from './address-spaces.js';
import { anonymousCounts, anonymousLoser, anonymousStack } from './anonymous-notes.js';
import { createProcessNames, type ProcessNames } from './process-names.js';

/** What stands for the words with which a recording begins. */
const BEGINNING = 'anonymised';

interface Survey {
  readonly names: ProcessNames;
  readonly spaces: AddressSpaces;
  /** The least time of each recording, ns. */
  readonly bases: readonly bigint[];
  /** Numbers of kernel stacks, by those of the trace. */
  readonly stacks: ReadonlyMap<bigint, bigint>;
}

export function anonymisedEvents(trace: OpenTrace): EventView {
  const survey = surveyOf(trace);
  const timeBase = (recording: number): bigint => survey.bases[Math.max(0, recording)] ?? 0n;
  return {
    timeBase,
    through: (visit) => {
      const made = new WeakMap<EventBatch, EventBatch>();
      let recording = -1;
      return (batch, from, to) => {
        // Where a recording begins is a batch of its own.
        if (batch.kind[from] === KIND.recording) recording++;
        let told = made.get(batch);
        if (told === undefined) {
          told = anonymised(batch, survey, timeBase(recording));
          made.set(batch, told);
        }
        visit(told, from, to);
      };
    },
  };
}

function surveyOf(trace: OpenTrace): Survey {
  const names = createProcessNames();
  const spaces = createAddressSpaces();
  const bases: bigint[] = [];
  const stacks = new Map<bigint, bigint>([[0n, 0n]]);
  const virtqueues = new Set<number>();
  const placed = new Set<number>();
  let recording = -1;
  const learn: RunVisitor = (batch, from, to) => {
    if (batch.kind[from] === KIND.recording) recording++;
    const number = Math.max(0, recording);
    const least = leastTime(batch, from, to);
    const base = bases[number];
    if (base === undefined || least < base) bases[number] = least;
    // HOT: all events of the trace.
    for (let i = from; i < to; i++) {
      if (batch.vq[i] !== NO_VQ) virtqueues.add(batch.vq[i] ?? 0);
      const at = batch.detail[i] ?? 0;
      if (batch.kind[i] === KIND.access || batch.detail[i + 1] === at) continue;
      learnDetails(batch, i, at);
    }
  };
  const learnDetails = ({ kind, vq, details }: EventBatch, i: number, at: number): void => {
    const owner = hasDetail(details, at, 'owner') ? details.owner[at] : undefined;
    if (owner !== undefined) names.pid(owner);
    if (hasDetail(details, at, 'pid')) {
      const pid = details.pid[at] ?? 0;
      names.pid(pid);
      if (hasDetail(details, at, 'comm')) names.name(pid, commAt(details.comm, at));
    }
    if (hasDetail(details, at, 'stack')) {
      const stack = wordsAt(details.stack, at);
      if (!stacks.has(stack)) stacks.set(stack, BigInt(stacks.size));
    }
    if (kind[i] !== KIND.virtqueue || !hasDetail(details, at, 'dev')) return;
    const dev: SpaceKey = `dev ${details.dev[at] ?? 0}`;
    placed.add(vq[i] ?? 0);
    spaces.join(`vq ${vq[i] ?? 0}`, dev);
    if (owner !== undefined) spaces.join(dev, `owner ${owner}`);
  };
  visitTrace(trace.fd, trace.index, learn);
  // Whose ranges are over the rings of a virtqueue without a device nobody knows: they may be anybody's.
  if ([...virtqueues].some((vq) => !placed.has(vq))) spaces.joinAll();
  return { names, spaces, bases, stacks };
}

/** The least time of some events. HOT. */
function leastTime({ time }: EventBatch, from: number, to: number): bigint {
  let least = from;
  for (let i = from + 1; i < to; i++) {
    const high = (time[2 * i + 1] ?? 0) - (time[2 * least + 1] ?? 0);
    if (high < 0 || (high === 0 && (time[2 * i] ?? 0) < (time[2 * least] ?? 0))) least = i;
  }
  return wordsAt(time, least);
}

/** Times less what is taken off them. HOT. */
function timesSince(base: bigint, { time, length }: EventBatch): Uint32Array {
  const since = new Uint32Array(2 * length);
  const low = Number(base & 0xffff_ffffn);
  const high = Number(base >> 32n);
  for (let at = 0; at < 2 * length; at += 2) {
    const rest = (time[at] ?? 0) - low;
    // What is stored is taken modulo 2^32.
    since[at] = rest;
    since[at + 1] = (time[at + 1] ?? 0) - high - (rest < 0 ? 1 : 0);
  }
  return since;
}

/** A batch that tells the same; what needs no change is in the memory of the one that was given. */
function anonymised(batch: EventBatch, survey: Survey, base: bigint): EventBatch {
  const { length } = batch;
  const time = timesSince(base, batch);
  const rows = batch.detail[length] ?? 0;
  const { details } = batch;
  const told: DetailColumns = {
    ...details,
    present: details.present.slice(0, 2 * rows),
    pointer: new Uint32Array(2 * rows),
    address: details.address.slice(0, 2 * rows),
    start: details.start.slice(0, 2 * rows),
    end: details.end.slice(0, 2 * rows),
    iova: details.iova.slice(0, 2 * rows),
    stack: details.stack.slice(0, 2 * rows),
    pid: details.pid.slice(0, rows),
    owner: details.owner.slice(0, rows),
  };
  const comms: string[] = [];
  const notes: string[] = [];
  for (let i = 0; i < length; i++) {
    const at = batch.detail[i] ?? 0;
    if (batch.detail[i + 1] === at) continue;
    told.present[2 * at + (POINTER >> 5)] &= ~(1 << (POINTER & 31));
    replaceAddresses(batch, i, at, told, survey.spaces);
    replaceProcesses(details, at, told, survey.names);
    if (hasDetail(details, at, 'stack'))
      putWords(told.stack, at, survey.stacks.get(wordsAt(details.stack, at)) ?? 0n);
    if (hasDetail(details, at, 'comm'))
      comms[at] = survey.names.name(details.pid[at] ?? 0, commAt(details.comm, at));
    if (hasDetail(details, at, 'note'))
      notes[at] = anonymousNote(batch.kind[i] ?? 0, textAt(details.note, at), base);
  }
  told.comm = textColumn(comms, rows);
  told.note = textColumn(notes, rows);
  return { ...batch, time, details: told };
}

const POINTER = DETAIL_BIT.pointer;
const ADDRESSES = ['address', 'start', 'end', 'iova'] as const;

function replaceAddresses(
  batch: EventBatch,
  i: number,
  at: number,
  told: DetailColumns,
  spaces: AddressSpaces,
): void {
  const { details } = batch;
  for (const field of ADDRESSES)
    if (hasDetail(details, at, field))
      putWords(told[field], at, spaces.moved(spaceOf(batch, i, at), wordsAt(details[field], at)));
}

/** Whose memory the addresses of an event are of. */
function spaceOf({ vq, details }: EventBatch, i: number, at: number): SpaceKey {
  if (hasDetail(details, at, 'owner')) return `owner ${details.owner[at] ?? 0}`;
  if (hasDetail(details, at, 'dev')) return `dev ${details.dev[at] ?? 0}`;
  return `vq ${vq[i] ?? 0}`;
}

function replaceProcesses(
  details: DetailColumns,
  at: number,
  told: DetailColumns,
  names: ProcessNames,
): void {
  if (hasDetail(details, at, 'owner')) told.owner[at] = names.pid(details.owner[at] ?? 0);
  if (hasDetail(details, at, 'pid')) told.pid[at] = names.pid(details.pid[at] ?? 0);
}

function anonymousNote(kind: number, note: string, base: bigint): string {
  switch (kind) {
    case KIND.stack:
      return anonymousStack(note);
    case KIND.lost:
      return anonymousLoser(note);
    case KIND.recording_end:
      return anonymousCounts(note, base);
    default:
      return BEGINNING;
  }
}

function textAt({ offsets, bytes }: TextColumnData, at: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    'latin1',
    offsets[at],
    offsets[at + 1],
  );
}

function textColumn(texts: readonly (string | undefined)[], rows: number): TextColumnData {
  const offsets = new Int32Array(rows + 1);
  let all = '';
  for (let at = 0; at < rows; at++) {
    all += texts[at] ?? '';
    offsets[at + 1] = all.length;
  }
  return { offsets, bytes: new Uint8Array(Buffer.from(all, 'latin1')) };
}

function putWords(words: Uint32Array, row: number, value: bigint): void {
  words[2 * row] = Number(value & 0xffff_ffffn);
  words[2 * row + 1] = Number((value >> 32n) & 0xffff_ffffn);
}
