/** What can go wrong with a direct map (reference §1.4, §3.1), and how sure a trace makes it. */

/** The kinds, with a sentence each. */
export const HAZARD_MEANING = {
  stale_map:
    'accesses used a map although pages of the ring may have changed while the notifier was off',
  stuck_count:
    'invalidate_count stays above 0 although no range is under way: the ring falls back for as long as that lasts',
  negative_count: 'invalidate_count is below 0: a range was ended that had not been counted',
  forbidden_window: 'a map was built while a range over the area was under way',
  too_few_pages:
    'the ring crosses a page more than get_user_pages was asked for: the last is not checked',
  refused_range: 'a range that must not block was answered -EAGAIN: its caller gives up',
  lost_dirty: 'a map of a used ring was dropped without marking its pages dirty',
  dirty_under_lock:
    'pages of a used ring were marked dirty under a spinlock, and marking them may sleep',
  notifier_stall:
    'a range took a map away: whoever changes the memory waits for the readers of the ring',
} as const;

export type HazardKind = keyof typeof HAZARD_MEANING;

/** `counted`: what the design does each time, not listed one by one. */
export type HazardGrade = 'proven' | 'possible' | 'counted';

/** An event that a hazard rests on. */
export interface HazardMark {
  readonly line: number;
  /** ns. */
  readonly time: bigint;
  /** Name of the event, see EVENTS. */
  readonly event: string;
  /** What it has to do with it. */
  readonly what: string;
}

export interface Hazard {
  readonly kind: HazardKind;
  readonly grade: 'proven' | 'possible';
  readonly recording: number;
  /** undefined where it is no virtqueue's, as the area where it is none's. */
  readonly vq: number | undefined;
  readonly area: number | undefined;
  /** ns; the time of one of the chain's events. */
  readonly begin: bigint;
  /** The event that ended it; undefined where it lasted to the end of the recording. */
  readonly end: HazardMark | undefined;
  /** Accesses that it touched: stale hits, or fallbacks for a stuck count. */
  readonly accesses: number;
  readonly chain: readonly HazardMark[];
}

/** Hazards of a kind and grade. */
export interface HazardCount {
  count: number;
  /** Those that they touched, all in all. */
  accesses: number;
  /** Where the first of them begins, by `compareMarks`, and in which recording. */
  first: HazardMark;
  firstIn: number;
  /** Where the last of them ends; undefined where one lasts to the end of the recording. */
  last: HazardMark | undefined;
}

/** Hazards are looked for from one time up to another, ns; the second does not belong to it. */
export interface HazardSpan {
  readonly from: bigint | undefined;
  readonly to: bigint | undefined;
}

export interface FoundHazards {
  /**
   * The first MOST_LISTED of each kind and grade, in the order in which they begin: by recording, time and line of
   * the event with which each does. `counts` has all that touch the span.
   */
  readonly listed: readonly Hazard[];
  /** By `kind grade`. */
  readonly counts: ReadonlyMap<string, HazardCount>;
  /** Kinds that the rules of the design leave open. */
  readonly notLookedFor: readonly HazardKind[];
}

export const MOST_LISTED = 100;

export interface HazardList extends Omit<FoundHazards, 'listed'> {
  readonly span: HazardSpan | undefined;
  /** What is to be listed, by `kind grade`, each in order. */
  readonly byKind: Map<string, Hazard[]>;
  readonly counts: Map<string, HazardCount>;
}

/** Hazards are told as they end. */
export function addHazard(list: HazardList, hazard: Hazard): void {
  const { kind, grade, begin, end } = hazard;
  const first = beginOf(hazard);
  if (first === undefined || !touches(list, begin, end?.time)) return;
  const sum = addUp(list, kind, grade, hazard.recording, first, end);
  sum.accesses += hazard.accesses;
  keepFirst(list, hazard);
}

/** The event with which it begins: one of its chain. */
function beginOf({ chain, begin }: Hazard): HazardMark | undefined {
  return chain.findLast(({ time }) => time === begin);
}

function keepFirst({ byKind }: HazardList, hazard: Hazard): void {
  const key = `${hazard.kind} ${hazard.grade}`;
  const kept = byKind.get(key) ?? [];
  byKind.set(key, kept);
  const place = kept.findLastIndex((other) => compareBegins(other, hazard) <= 0) + 1;
  if (place < MOST_LISTED) kept.splice(place, 0, hazard);
  if (kept.length > MOST_LISTED) kept.pop();
}

/** Which event came first: recordings follow each other, whatever their clocks say; events of one time go by line. */
function compareMarks(inA: number, a: HazardMark, inB: number, b: HazardMark): number {
  if (inA !== inB) return inA - inB;
  if (a.time !== b.time) return a.time < b.time ? -1 : 1;
  return a.line - b.line;
}

/** Those that one event begins go by virtqueue and area; of one of these there is one at a time of a kind and grade. */
function compareBegins(a: Hazard, b: Hazard): number {
  const [markA, markB] = [beginOf(a), beginOf(b)];
  // Only what begins with an event of its chain is listed.
  const byMark =
    markA === undefined || markB === undefined
      ? 0
      : compareMarks(a.recording, markA, b.recording, markB);
  return byMark || (a.vq ?? -1) - (b.vq ?? -1) || (a.area ?? -1) - (b.area ?? -1);
}

/** Of all kinds, in one order; what begins with one event comes in the order of the kinds. */
export function listed({ byKind }: HazardList): Hazard[] {
  const kinds = Object.keys(HAZARD_MEANING);
  return [...byKind.values()]
    .flat()
    .toSorted((a, b) => compareBegins(a, b) || kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
}

/** Of hazards that are not listed one by one. */
export function countHazard(
  list: HazardList,
  kind: HazardKind,
  grade: HazardGrade,
  recording: number,
  mark: HazardMark,
): void {
  if (touches(list, mark.time, mark.time)) addUp(list, kind, grade, recording, mark, mark);
}

/** Hazards are told as they end, so the one that is told first need not have begun first. */
function addUp(
  { counts }: HazardList,
  kind: HazardKind,
  grade: HazardGrade,
  recording: number,
  first: HazardMark,
  last: HazardMark | undefined,
): HazardCount {
  const key = `${kind} ${grade}`;
  const known = counts.get(key);
  if (known === undefined) {
    const made = { count: 1, accesses: 0, first, firstIn: recording, last };
    counts.set(key, made);
    return made;
  }
  known.count++;
  if (compareMarks(recording, first, known.firstIn, known.first) < 0) {
    known.first = first;
    known.firstIn = recording;
  }
  if (known.last !== undefined && (last === undefined || last.time >= known.last.time))
    known.last = last;
  return known;
}

/** @param end undefined where it lasts to the end of the trace */
function touches({ span }: HazardList, begin: bigint, end: bigint | undefined): boolean {
  if (span === undefined) return true;
  const isLate = span.to !== undefined && begin >= span.to;
  return !isLate && (span.from === undefined || end === undefined || end >= span.from);
}
