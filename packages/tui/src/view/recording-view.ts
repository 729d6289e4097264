/** What is told of the recording itself. */
import type { TraceIndex } from '@vhostscope/trace';
import type { RecordingView } from '../dashboard.js';
import { stockHostAssumptions, type RecordingAssumptions } from './assumptions.js';
import type { Shown } from './dashboard-view.js';

export function viewRecording(shown: Shown, assumed: RecordingAssumptions): RecordingView {
  const { source, player, judgement, own } = shown;
  const account = player?.account;
  const { trace } = source;
  const index = trace?.index;
  const complete = completeOf(shown);
  return {
    facts: index === undefined ? [] : factsOf(index, shown),
    plan: (index?.header.probes?.views ?? []).map(({ what, by, certainty, note }) => ({
      event: what,
      way: [by.join(', '), note].filter((part) => part !== '').join('; '),
      sureness: certainty,
    })),
    complete,
    counts: account?.told.counts() ?? [],
    lost: [...(account?.told.lost ?? [])].map(([by, count]) => [by, Number(count)] as const),
    filtered: account?.told.filtered() ?? [],
    waiting: player?.merge.waiting() ?? { events: 0, lag: 0 },
    kept: source.kept,
    isText: source.isText,
    own,
    order: judgement?.order ?? 'not known yet',
    assumptions:
      trace === undefined || account === undefined || judgement === undefined
        ? []
        : [
            ...assumed(trace, judgement, complete === 'no' ? false : null),
            ...stockHostAssumptions(judgement, account),
          ],
  };
}

function completeOf({ source, player }: Shown): RecordingView['complete'] {
  if (player !== undefined && player.account.told.lost.size > 0) return 'no';
  const { completeness } = source;
  // What broke off did not say how it ended.
  if (completeness === undefined) return source.state === 'gone' ? 'no' : 'not known yet';
  if (completeness.complete === null) return 'not known';
  return completeness.complete ? 'yes' : 'no';
}

function factsOf(
  { header, formatVersion }: TraceIndex,
  { judgement, source: { isText } }: Shown,
): [string, string][] {
  const { host, writer, sources, probes, clock, timeStep } = header;
  const recorded = judgement?.plan.recorded;
  const facts: [string, string | undefined][] = [
    ['host', recorded?.host === undefined ? undefined : HOST[recorded.host]],
    ['kernel', host?.kernel],
    ['architecture', host?.architecture],
    ['cpu', host?.cpu],
    ['bpftrace', host?.bpftrace],
    ['perf', host?.perf],
    ['preemption', recorded?.preemption],
    ['detail', probes?.detail],
    ['SMAP', onOff(host?.smap)],
    ['huge pages', host?.thp],
    ['KSM', onOff(host?.ksm)],
    ['NUMA balancing', onOff(host?.numaBalancing)],
    ['NUMA nodes', host?.numaNodes.toString()],
    ['clock', clock === 'unknown' ? 'not known' : clock],
    ['steps of time', timeStep === undefined ? undefined : `${timeStep} ns`],
    ['from', sources.join(', ')],
    // What was made of a text in passing is no file of anybody.
    ['written by', isText ? undefined : writer],
    ['format', isText ? 'text, as it was printed' : String(formatVersion)],
  ];
  return facts.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
}

const HOST = {
  'direct-map': 'with the direct-map driver',
  stock: 'stock: the answer tells of a direct map that did not run',
} as const;

function onOff(value: boolean | undefined): string | undefined {
  return value === undefined ? undefined : value ? 'on' : 'off';
}
