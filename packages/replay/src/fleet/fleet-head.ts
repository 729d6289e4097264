/** Of which runs a fleet's figures are, how they were judged, and how far they can be trusted. */
import type { Design } from '@vhostscope/model';
import { counted, printable, seconds } from '@vhostscope/terminal';
import { pinsPages, PINS_MEANING } from '../pinned-pages.js';
import { callsAreTimed, preemptionText } from '../text-parts.js';
import { replayedOf, type FleetResult, type ReplayedRun } from './fleet-result.js';

/** What stands under one label; more than one are a list. */
export interface HeadEntry {
  readonly label: string;
  readonly texts: readonly string[];
}

export function fleetHead(result: FleetResult, designs: readonly Design[]): HeadEntry[] {
  const { totals } = result;
  const replayed = replayedOf(result.runs);
  const recorded = seconds(BigInt(totals.recorded_ns));
  const [first, ...others] = designs;
  const entries: HeadEntry[] = [
    entry(
      'fleet',
      `${counted(totals.runs, 'run')} of ${counted(totals.hosts, 'host')}; ${recorded} recorded in all`,
    ),
    entry(
      'unreadable',
      totals.unreadable > 0 && `${counted(totals.unreadable, 'run')}, in no figure`,
    ),
    entry(
      'unanswered',
      totals.not_answered > 0 &&
        `${counted(totals.not_answered, 'run')}, by no worker in time, in no figure`,
    ),
    entry(
      'interrupted',
      totals.interrupted > 0 && `${counted(totals.interrupted, 'run')} not replayed, in no figure`,
    ),
    entry('complete', completeness(result)),
    entry('merged', merged(replayed)),
    entry('design', first !== undefined && `${first.name}: ${first.title} (${first.source})`),
    entry('and', others.length > 0 && others.map(({ name }) => name).join(', ')),
    entry('pins', pins(designs)),
    entry('order', orders(replayed)),
    { label: 'preemption', texts: preemptions(replayed, first) },
    { label: 'assumed', texts: eachOnce(replayed, ({ comparison }) => comparison.assumptions) },
    { label: 'off', texts: eachOnce(replayed, switchedOff) },
  ];
  return entries.filter(({ texts }) => texts.length > 0);
}

function entry(label: string, text: string | false | undefined): HeadEntry {
  return { label, texts: text === false || text === undefined ? [] : [text] };
}

function completeness({ totals, runs }: FleetResult): string | undefined {
  const { incomplete, uncounted } = totals;
  if (incomplete > 0)
    return `NO: events are missing, or may be, from ${counted(incomplete, 'run')}; answers may be wrong, also where they are not ambiguous`;
  const replayed = replayedOf(runs).length;
  return replayed > 0 && uncounted === 0 ? 'yes, as counted in the kernels' : undefined;
}

/** Which designs hit at a price that no figure here has. */
function pins(designs: readonly Design[]): string | undefined {
  const pinning = designs.filter(pinsPages).map(({ name }) => name);
  return pinning.length === 0 ? undefined : `${pinning.join(', ')}: ${PINS_MEANING}`;
}

/** What was merged of several hosts is one run of one name. */
function merged(runs: readonly ReplayedRun[]): string | undefined {
  const all = runs.flatMap(({ merged_hosts: hosts }) => hosts ?? []);
  const hosts = all.reduce((sum, one) => sum + one, 0);
  return all.length === 0
    ? undefined
    : `${counted(all.length, 'run')} of ${counted(hosts, 'host')}, each counted as one here`;
}

/** By which order runs are judged, under the first design; see `replay run --order`. */
function orders(runs: readonly ReplayedRun[]): string | undefined {
  const by = (['effects', 'ranges'] as const).flatMap((order) => {
    const many = runs.filter(({ comparison }) => comparison.designs[0]?.order === order).length;
    return many === 0 ? [] : [`${order}${ofRuns(many, runs.length)}`];
  });
  return by.length === 0 ? undefined : by.join(', ');
}

/** How the recording kernels preempt, where that matters. */
function preemptions(runs: readonly ReplayedRun[], design: Design | undefined): string[] {
  if (design === undefined || design.maps === 'never') return [];
  const byRanges = runs.filter(({ comparison: { designs } }) => designs[0]?.order === 'ranges');
  return (['unknown', 'voluntary', 'full'] as const).flatMap((mode) => {
    const those = byRanges.filter(({ comparison }) => comparison.preemption === mode);
    if (those.length === 0) return [];
    const open = those.some(
      ({ comparison: { designs } }) => (designs[0]?.decisions.ambiguous ?? 0) > 0,
    );
    const text = preemptionText(mode, open && callsAreTimed(design));
    return [`${text}${ofRuns(those.length, runs.length)}`];
  });
}

function switchedOff({ comparison }: ReplayedRun): string[] {
  return comparison.designs.flatMap(({ design, switched_off: why }) =>
    why === null ? [] : [`${design}: ${why}`],
  );
}

/** Each sentence once, with of how many runs it is. */
function eachOnce(
  runs: readonly ReplayedRun[],
  sentencesOf: (run: ReplayedRun) => readonly string[],
): string[] {
  const times = new Map<string, number>();
  for (const run of runs)
    for (const one of new Set(sentencesOf(run))) times.set(one, (times.get(one) ?? 0) + 1);
  return [...times].map(([sentence, many]) => printable(`${sentence}${ofRuns(many, runs.length)}`));
}

function ofRuns(many: number, all: number): string {
  return many === all ? '' : ` [${many} of ${counted(all, 'run')}]`;
}
