/** Of which runs a fleet's figures are, how they were judged, and how far they can be trusted. */
import type { Design } from '@vhostscope/model';
import { counted, printable, seconds } from '@vhostscope/terminal';
import { callsAreTimed, preemptionText, wrapped } from '../text-parts.js';
import { replayedOf, type FleetResult, type ReplayedRun } from './fleet-result.js';

export function fleetHeadLines(result: FleetResult, designs: readonly Design[]): string[] {
  const { totals } = result;
  const replayed = replayedOf(result.runs);
  const recorded = seconds(BigInt(totals.recorded_ns));
  const [first] = designs;
  return [
    `fleet       ${counted(totals.runs, 'run')} of ${counted(totals.hosts, 'host')}; ${recorded} recorded in all`,
    ...(totals.unreadable === 0
      ? []
      : [`unreadable  ${counted(totals.unreadable, 'run')}, in no figure`]),
    ...(totals.interrupted === 0
      ? []
      : [`interrupted ${counted(totals.interrupted, 'run')} not replayed, in no figure`]),
    ...completeLines(result),
    ...mergedLines(replayed),
    ...(first === undefined
      ? []
      : wrapped('design      ', `${first.name}: ${first.title} (${first.source})`)),
    ...(designs.length < 2
      ? []
      : wrapped(
          'and         ',
          designs
            .slice(1)
            .map(({ name }) => name)
            .join(', '),
        )),
    ...orderLines(replayed),
    ...preemptionLines(replayed, first),
    ...assumedLines(replayed),
    ...offLines(replayed),
  ];
}

function completeLines({ totals }: FleetResult): string[] {
  const { incomplete, uncounted } = totals;
  if (incomplete > 0)
    return wrapped(
      'complete    ',
      `NO: events are missing from ${counted(incomplete, 'run')}; answers may be wrong, also where they are not ambiguous`,
    );
  const replayed = totals.runs - totals.unreadable - totals.interrupted;
  return replayed > 0 && uncounted === 0 ? ['complete    yes, as counted in the kernels'] : [];
}

/** What was merged of several hosts is one run of one name. */
function mergedLines(runs: readonly ReplayedRun[]): string[] {
  const merged = runs.flatMap(({ merged_hosts: hosts }) => hosts ?? []);
  const hosts = merged.reduce((sum, one) => sum + one, 0);
  return merged.length === 0
    ? []
    : [
        `merged      ${counted(merged.length, 'run')} of ${counted(hosts, 'host')}, each counted as one here`,
      ];
}

/** By which order runs are judged, under the first design; see `replay run --order`. */
function orderLines(runs: readonly ReplayedRun[]): string[] {
  const by = (['effects', 'ranges'] as const).flatMap((order) => {
    const many = runs.filter(({ comparison }) => comparison.designs[0]?.order === order).length;
    return many === 0 ? [] : [`${order}${ofRuns(many, runs.length)}`];
  });
  return by.length === 0 ? [] : [`order       ${by.join(', ')}`];
}

/** How the recording kernels preempt, where that matters. */
function preemptionLines(runs: readonly ReplayedRun[], design: Design | undefined): string[] {
  if (design === undefined || design.maps === 'never') return [];
  const byRanges = runs.filter(({ comparison: { designs } }) => designs[0]?.order === 'ranges');
  return (['unknown', 'voluntary', 'full'] as const).flatMap((mode) => {
    const those = byRanges.filter(({ comparison }) => comparison.preemption === mode);
    if (those.length === 0) return [];
    const open = those.some(
      ({ comparison: { designs } }) => (designs[0]?.decisions.ambiguous ?? 0) > 0,
    );
    const text = preemptionText(mode, open && callsAreTimed(design));
    return wrapped('preemption  ', `${text}${ofRuns(those.length, runs.length)}`);
  });
}

/** Each once, with how many runs take it for granted. */
function assumedLines(runs: readonly ReplayedRun[]): string[] {
  const times = new Map<string, number>();
  for (const { comparison } of runs)
    for (const one of new Set(comparison.assumptions)) times.set(one, (times.get(one) ?? 0) + 1);
  return [...times].flatMap(([assumption, many], at) =>
    wrapped(
      at === 0 ? 'assumed     - ' : '            - ',
      printable(`${assumption}${ofRuns(many, runs.length)}`),
    ),
  );
}

/** What the platform switches off. */
function offLines(runs: readonly ReplayedRun[]): string[] {
  const times = new Map<string, number>();
  for (const { comparison } of runs)
    for (const { design, switched_off: why } of comparison.designs) {
      if (why === null) continue;
      const said = `${design}: ${why}`;
      times.set(said, (times.get(said) ?? 0) + 1);
    }
  return [...times].flatMap(([said, many], at) =>
    wrapped(
      at === 0 ? 'off         - ' : '            - ',
      printable(`${said}${ofRuns(many, runs.length)}`),
    ),
  );
}

function ofRuns(many: number, all: number): string {
  return many === all ? '' : ` [${many} of ${counted(all, 'run')}]`;
}
