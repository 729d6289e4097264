/**
 * What becomes of the sources of a merge: whose times and numbers are moved, who tells what, and what the merged trace
 * says of itself. What cannot be one trace is refused here, before anything is written.
 */
import { ATTACH_DIRECT_MAP_HEADER, ATTACH_HEADER, HEADERS, KIND, MAX_CPU } from '@vhostscope/model';
import { InputError } from '../file-errors.js';
import { RECORDER } from '../text-kind.js';
import { stillMissing } from '../trace-events/missing-events.js';
import type { TraceHeader } from '../trace-header.js';
import { knowsAddresses, mergeObjects, type MergedObjects } from './merged-objects.js';
import { MOST_TIME, type SurveyedSource } from './source-survey.js';
import { renamed, type ToldOf } from './told-together.js';

export interface MergeOptions {
  /** Every source tells of a host of its own: nothing of one is anything of another. */
  readonly areDifferentHosts: boolean;
  readonly keepsPointers: boolean;
  /** Program that writes the trace. */
  readonly writer: string;
}

export interface MergePlan {
  readonly sources: readonly SurveyedSource[];
  readonly header: TraceHeader;
  /** What the recording calls itself: by that it is judged. */
  readonly note: string;
  readonly merged: MergedObjects;
  readonly firstCpu: readonly number[];
  readonly firstProcess: readonly number[];
  /** Of one host, the number of the source from which each is taken; undefined where every source tells its own. */
  readonly tellers: ReadonlyMap<ToldOf, number> | undefined;
  /** What makes the trace incomplete. */
  readonly flaws: readonly string[];
  /** What is to be said beside. */
  readonly notes: readonly string[];
}

/** Linux: PID_MAX_LIMIT. */
const PROCESSES = 1 << 22;

/** @throws InputError where the sources cannot be one trace; says why */
export function planMerge(sources: readonly SurveyedSource[], options: MergeOptions): MergePlan {
  const { areDifferentHosts, keepsPointers, writer } = options;
  const isOneHost = !areDifferentHosts;
  checkUnmerged(sources);
  checkClocks(sources, isOneHost);
  checkRounds(sources);
  if (keepsPointers) checkPointers(sources);
  const firstCpu = firstNumbers(sources, isOneHost, ({ mostCpu }) => mostCpu + 1);
  if (firstCpu.some((first, number) => first + sources[number].mostCpu > MAX_CPU))
    throw new InputError(`together they have more than ${MAX_CPU + 1} CPUs`);
  const firstProcess = firstNumbers(sources, isOneHost, ({ name, mostProcess }) => {
    if (mostProcess < PROCESSES) return PROCESSES;
    throw new InputError(`${name} names process ${mostProcess}, which no Linux host can have`);
  });
  const note = noteOf(sources);
  const merged = mergeObjects(sources, isOneHost, firstProcess);
  const seen = new Set(sources.flatMap(({ kinds }) => [...kinds]));
  const spans = isOneHost ? spansApart(sources, merged) : { flaws: [], notes: [] };
  return {
    sources,
    header: {
      sources: sources.map(({ name }) => name),
      writer,
      clock: clockOf(sources),
      ...timeStepOf(sources),
      ...preemptionOf(sources, isOneHost),
      keepsPointers,
      ...hostOf(sources, isOneHost),
      ...probesOf(sources),
      merged: {
        hosts: isOneHost ? 'one' : 'different',
        sources: sources.map((source, number) => ({
          name: source.name,
          ...(source.offset !== undefined && { clockOffset: String(source.offset) }),
          firstCpu: firstCpu[number],
          firstProcess: firstProcess[number],
          ...(areDifferentHosts && { virtqueues: virtqueuesOf(source, merged.vqs[number]) }),
          first: String(source.first),
          last: String(source.last),
          isPicked: isPicked(source),
        })),
      },
    },
    note,
    merged,
    firstCpu,
    firstProcess,
    tellers: isOneHost ? tellersOf(sources, merged) : undefined,
    flaws: [...sources.flatMap((source) => flawsOf(source, seen)), ...spans.flaws],
    notes: [...gapsBetween(sources), ...spans.notes],
  };
}

/** Of different hosts each has numbers of its own, behind those of the hosts before. */
function firstNumbers(
  sources: readonly SurveyedSource[],
  isOneHost: boolean,
  howMany: (source: SurveyedSource) => number,
): number[] {
  let first = 0;
  return sources.map((source) => {
    const own = first;
    if (!isOneHost) first += howMany(source);
    return own;
  });
}

/** What was merged has given up whose numbers and times were whose. */
function checkUnmerged(sources: readonly SurveyedSource[]): void {
  const merged = sources.find(({ trace }) => trace.index.header.merged !== undefined);
  if (merged !== undefined)
    throw new InputError(`${merged.name} was merged before: merge the files that it was made of`);
}

function checkClocks(sources: readonly SurveyedSource[], isOneHost: boolean): void {
  const unsaid = sources.filter(({ offset }) => offset === undefined);
  if (isOneHost) {
    const unknown = unsaid.find(({ trace }) => trace.index.header.clock === 'unknown');
    const isAlone = unsaid.length === 1;
    if (unknown !== undefined && !isAlone)
      throw new InputError(
        `the clock of ${unknown.name} is not known: --offset ${unknown.name}=… says what is to be added to its times (0 where ` +
          'it is the clock of the others, as CLOCK_MONOTONIC of perf is where the host has not slept since it was booted); ' +
          'or say it of every other file instead',
      );
    const steps = new Set(sources.map(({ trace }) => trace.index.header.timeStep ?? 1));
    if (steps.size > 1)
      throw new InputError(
        `${sources.find(({ trace }) => (trace.index.header.timeStep ?? 1) > 1)?.name} has times in whole microseconds, and ` +
          'others have nanoseconds: what of them came first would be a guess (perf script --ns and trace-cmd report -t ' +
          'tell nanoseconds)',
      );
    return;
  }
  if (unsaid.length > 1)
    throw new InputError(
      `every host has a clock of its own: --offset ${unsaid[1].name}=… says what is to be added to its times; only one ` +
        'file can do without',
    );
}

/** The clock of those whose times stay as they are. */
function clockOf(sources: readonly SurveyedSource[]): TraceHeader['clock'] {
  const isKnown = sources.some(
    ({ trace, offset = 0n }) => offset === 0n && trace.index.header.clock === 'CLOCK_BOOTTIME',
  );
  return isKnown ? 'CLOCK_BOOTTIME' : 'unknown';
}

function timeStepOf(sources: readonly SurveyedSource[]): Pick<TraceHeader, 'timeStep'> {
  const step = Math.max(...sources.map(({ trace }) => trace.index.header.timeStep ?? 1));
  return step > 1 ? { timeStep: step } : {};
}

function preemptionOf(
  sources: readonly SurveyedSource[],
  isOneHost: boolean,
): Pick<TraceHeader, 'preemption'> {
  const said = sources.map(({ trace }) => trace.index.header.preemption);
  const [one, ...others] = new Set(isOneHost ? said.filter((value) => value !== undefined) : said);
  if (isOneHost && others.length > 0)
    throw notOneHost(sources, 'their kernels preempt in different ways');
  return one === undefined || others.length > 0 ? {} : { preemption: one };
}

function notOneHost(sources: readonly SurveyedSource[], why: string): InputError {
  return new InputError(
    `${sources.map(({ name }) => name).join(', ')} are not of one host: ${why} (--different-hosts merges those of ` +
      'different ones)',
  );
}

/** What the hosts have in common; an answer goes by the rules of one kernel. */
function hostOf(sources: readonly SurveyedSource[], isOneHost: boolean): Pick<TraceHeader, 'host'> {
  const hosts = sources.flatMap(({ trace }) => trace.index.header.host ?? []);
  const [first, ...others] = hosts;
  if (first === undefined) return {};
  const other = others.find(
    ({ kernel, architecture }) => kernel !== first.kernel || architecture !== first.architecture,
  );
  if (other !== undefined) {
    const both = `Linux ${first.kernel} on ${first.architecture} and ${other.kernel} on ${other.architecture}`;
    if (isOneHost) throw notOneHost(sources, both);
    throw new InputError(
      `the hosts have different kernels (${both}), and a trace is judged by the rules of one: replay them apart`,
    );
  }
  if (!isOneHost && hosts.length < sources.length)
    throw new InputError(
      `${sources.find(({ trace }) => trace.index.header.host === undefined)?.name} does not say which kernel was recorded, as ` +
        'others do, and a trace is judged by the rules of one: replay them apart',
    );
  const common = Object.entries(first).filter(([name, value]) =>
    others.every((one) => one[name as keyof typeof one] === value),
  );
  return { host: { ...Object.fromEntries(common), ...pickHost(first) } };
}

/** What a host cannot be without. */
function pickHost({
  kernel,
  architecture,
  numaNodes,
}: NonNullable<TraceHeader['host']>): NonNullable<TraceHeader['host']> {
  return { kernel, architecture, numaNodes };
}

/** The plans of live recordings, where all are live. */
function probesOf(sources: readonly SurveyedSource[]): Pick<TraceHeader, 'probes'> {
  const plans = sources.flatMap(({ trace }) => trace.index.header.probes ?? []);
  const [first] = plans;
  if (first === undefined || plans.length < sources.length) return {};
  const views = new Map(
    plans.flatMap((plan) => plan.views.map((view) => [JSON.stringify(view), view])),
  );
  return { probes: { ...first, views: [...views.values()] } };
}

/** Only a driver with the direct-map code tells these. */
const DIRECT_MAP_KINDS: readonly number[] = [
  KIND.range_start,
  KIND.range_end,
  KIND.prefetch,
  KIND.effect_start,
  KIND.effect_end,
];

/** By what a source is judged: the first line of its dialect, or what its plan says. */
function dialectOf({ trace, note }: SurveyedSource): string {
  const { probes } = trace.index.header;
  if (probes === undefined) return note;
  return probes.hostKind === 'direct-map' ? ATTACH_DIRECT_MAP_HEADER : ATTACH_HEADER;
}

function isPicked({ note, trace }: SurveyedSource): boolean {
  return (
    (note !== 'bpftrace' && Object.hasOwn(RECORDER, note)) ||
    trace.index.header.merged?.sources.some((source) => source.isPicked) === true
  );
}

/**
 * The dialect of all of them. Of those that do not say theirs, events tell.
 *
 * @throws InputError for a stock host and one with the direct-map driver: what one says the other does not
 */
function noteOf(sources: readonly SurveyedSource[]): string {
  const dialects = [...new Set(sources.map(dialectOf))];
  const [only] = dialects;
  if (only !== undefined && dialects.length === 1) return only;
  const known = dialects.filter((dialect) => HEADERS.includes(dialect));
  if (known.length === 0)
    return dialects.find((dialect) => Object.hasOwn(RECORDER, dialect)) ?? dialects[0] ?? '';
  if (!known.includes(ATTACH_HEADER)) return ATTACH_DIRECT_MAP_HEADER;
  const stock = sources.find((source) => dialectOf(source) === ATTACH_HEADER);
  const other = sources.find(
    (source) =>
      (dialectOf(source) !== ATTACH_HEADER && HEADERS.includes(dialectOf(source))) ||
      DIRECT_MAP_KINDS.some((kind) => source !== stock && source.kinds.has(kind)) ||
      (isPicked(source) && source.kinds.has(KIND.access)),
  );
  if (other === undefined) return ATTACH_HEADER;
  throw new InputError(
    `${stock?.name} is of a stock host, and ${other.name} of one with the direct-map driver: they are judged by other rules`,
  );
}

/** A trace tells in one way what its rounds access. */
function checkRounds(sources: readonly SurveyedSource[]): void {
  const telling = sources.filter(({ kinds }) => kinds.has(KIND.round_end));
  const ways = telling.map((source) => ({ source, way: roundsOf(source) }));
  const [first] = ways;
  const other = ways.find(({ way }) => way !== first?.way);
  if (first !== undefined && other !== undefined)
    throw new InputError(
      `${first.source.name} ${first.way}, and ${other.source.name} ${other.way}: a trace is judged by one of these`,
    );
}

function roundsOf({ trace, events }: SurveyedSource): string {
  const detail = trace.index.header.probes?.detail;
  if (detail === 'calls' || events[KIND.counted] > 0) return 'counts the accesses of a round';
  const isTold = detail === undefined && events[KIND.access] > events[KIND.round_end];
  return detail === 'accesses' || isTold
    ? 'tells each access'
    : 'tells rounds by the ring before and after';
}

function checkPointers(sources: readonly SurveyedSource[]): void {
  const without = sources.find((source) => !knowsAddresses(source));
  if (without !== undefined)
    throw new InputError(`${without.name} holds no kernel addresses that could be kept`);
}

/** Those that it names, by their ids in the merged trace. */
function virtqueuesOf({ virtqueues }: SurveyedSource, ids: Uint32Array): number[] {
  return [...virtqueues.keys()].map((id) => ids[id]).toSorted((a, b) => a - b);
}

function tellersOf(
  sources: readonly SurveyedSource[],
  { vqs, devs }: MergedObjects,
): Map<ToldOf, number> {
  const tellers = new Map<ToldOf, number>();
  for (const [number, { told }] of sources.entries())
    for (const own of told) {
      const one = renamed(own, vqs[number], devs[number]);
      if (one !== 0 && !tellers.has(one)) tellers.set(one, number);
    }
  return tellers;
}

/** Why what comes of a source is not all that there was. */
function flawsOf(source: SurveyedSource, seen: ReadonlySet<number>): string[] {
  const { trace, counts } = source;
  return [
    ...trace.damage.map((damage) => damage.replace(`${source.name}: `, '')),
    ...(counts === undefined && trace.damage.length === 0 ? ['it does not say how it ended'] : []),
    ...stillMissing(counts?.flaws ?? [], seen),
  ].map((flaw) => `${source.name}: ${flaw}`);
}

/** Where nothing of some sources is of the time of the others: an offset may be wrong, or there is nothing to merge. */
function gapsBetween(sources: readonly SurveyedSource[]): string[] {
  const gaps: string[] = [];
  let before: SurveyedSource[] = [];
  let end = 0n;
  for (const source of sources.toSorted((a, b) => Number(a.first - b.first))) {
    if (before.length > 0 && source.first > end) {
      const behind = sources.filter((one) => one.first > end);
      gaps.push(
        `${namesOf(before)} and ${namesOf(behind)} do not overlap in time: ${spanOf(before)}, ${spanOf(behind)}; if they ` +
          'are of one time, their clocks differ, and --offset FILE=TIME moves those of one',
      );
      before = [];
    }
    before.push(source);
    if (source.last > end) end = source.last;
  }
  return gaps;
}

function namesOf(sources: readonly SurveyedSource[]): string {
  return sources.map(({ name }) => name).join(', ');
}

function spanOf(sources: readonly SurveyedSource[]): string {
  const first = sources.reduce((least, one) => (one.first < least ? one.first : least), MOST_TIME);
  const last = sources.reduce((most, one) => (one.last > most ? one.last : most), 0n);
  return `${namesOf(sources)} from ${first} to ${last} ns`;
}

/** Sources that begin or end so much apart have not recorded the same time, ns. */
const APART = 1_000_000_000n;

/** Of sources that tell of the same objects, those that tell nothing of a time of which others tell. */
function spansApart(
  sources: readonly SurveyedSource[],
  { vqs, devs, objects: { told } }: MergedObjects,
): Pick<MergePlan, 'flaws' | 'notes'> {
  const objects = sources.map(({ virtqueues, devices, owners }, number) => [
    ...[...virtqueues.keys()].flatMap((id) => {
      // Which device it is of, another source may have told.
      const { dev, owner } = told[vqs[number][id]] ?? {};
      return [
        `vq ${vqs[number][id]}`,
        ...(dev === undefined ? [] : [`dev ${dev}`]),
        ...(owner === undefined ? [] : [`process ${owner}`]),
      ];
    }),
    ...[...devices.keys()].map((id) => `dev ${devs[number][id]}`),
    ...[...owners].map((owner) => `process ${owner}`),
  ]);
  const flaws: string[] = [];
  const notes: string[] = [];
  for (const [number, source] of sources.entries()) {
    const own = new Set(objects[number]);
    const beside = sources.filter(
      (other, at) => other !== source && objects[at].some((one) => own.has(one)),
    );
    const begins = beside.some(({ first }) => first + APART < source.first);
    const ends = beside.some(({ last }) => last > source.last + APART);
    if (!begins && !ends) continue;
    const when = [
      ...(begins ? [`before ${source.first} ns`] : []),
      ...(ends ? [`after ${source.last} ns`] : []),
    ].join(' and ');
    const says = `${source.name}: it tells nothing ${when}, of which others tell; --from and --to of replay leave that time out`;
    // Only a live recording says when it began: a text may have had nothing to tell.
    (source.counts?.ended === undefined ? notes : flaws).push(says);
  }
  return { flaws, notes };
}
