/** How far the trace can be trusted, and how it was made. */
import { byteSize, counted, grouped, seconds } from '@vhostscope/terminal/text';
import type { Report } from '../report-schema.js';
import { element, folded, list, section, shortTable, table } from './dom.js';

export function trustSection({ run }: Report): HTMLElement {
  const lost = Object.entries(run.lost).map(
    ([by, howMany]) => `${grouped(BigInt(howMany))} events lost by ${by}`,
  );
  const complete =
    run.complete === null
      ? 'Not known to be complete: nobody counted what was emitted.'
      : run.complete
        ? 'Complete: all that the kernel counted has arrived.'
        : 'Not complete: events are missing, or may be, and answers may be wrong, also where they are not ambiguous.';
  const problems = [...lost, ...run.damage];
  return section(
    'Completeness and assumptions',
    element('p', complete),
    ...(problems.length > 0 ? [list(problems)] : []),
    element('p', `Order of callbacks: ${run.order}: ${run.order_reason}. ${preemptionText(run)}`),
    ...(run.assumptions.length > 0
      ? [element('p', 'The answer takes for granted that:'), list(run.assumptions)]
      : []),
  );
}

function preemptionText({ order, preemption, uses_observations: uses }: Report['run']): string {
  const known =
    preemption === 'unknown'
      ? 'It is not known how the recording kernel preempts.'
      : `The recording kernel preempts: ${preemption}.`;
  const observed = uses ? ' Recorded attempts to map settled what the ranges leave open.' : '';
  return order === 'ranges' ? known + observed : '';
}

export function recordingSection({ info, writer }: Report): HTMLElement {
  const { host, probes } = info;
  const facts: (readonly [string, string])[] = [
    ['trace', info.trace],
    ['from', info.sources.join(', ')],
    ...(info.writer === null
      ? []
      : [['written by', `${info.writer}, format ${info.format_version}`] as const]),
    ['clock', info.clock],
    ['preemption', info.preemption === 'unknown' ? 'not known' : info.preemption],
    ...(host === null ? [] : hostFacts(host)),
    ...(probes === null ? [] : [['detail', probes.detail] as const]),
    ['report by', writer],
  ];
  return section(
    'How it was recorded',
    element(
      'dl.facts',
      ...facts.map(([name, value]) => element('div', element('dt', name), element('dd', value))),
    ),
    ...(probes === null
      ? []
      : [
          table(
            'What was recorded, and how surely',
            [{ title: 'recorded' }, { title: 'how sure' }, { title: 'by' }, { title: 'note' }],
            probes.views.map(({ what, certainty, by, note }) => [
              what,
              certainty,
              by.length === 0 ? '–' : by.join(', '),
              note,
            ]),
          ),
        ]),
    ...recordingsTables(info.recordings),
  );
}

function recordingsTables(recordings: Report['info']['recordings']): HTMLElement[] {
  const events: Record<string, number> = {};
  for (const recording of recordings)
    for (const [event, count] of Object.entries(recording.events))
      events[event] = (events[event] ?? 0) + count;
  return [
    ...shortTable(
      'Recordings',
      [
        { title: 'number' },
        ...['first event (ns)', 'duration', 'CPUs', 'virtqueues', 'without notifiers'].map(
          (title) => ({ title, is: 'number' as const }),
        ),
      ],
      recordings.map(({ first, last, cpus, virtqueues }, number) => [
        String(number),
        first ?? '–',
        first === null || last === null ? '–' : seconds(BigInt(last) - BigInt(first)),
        grouped(cpus.length),
        grouped(virtqueues.length),
        grouped(virtqueues.filter(({ notified }) => notified === false).length),
      ]),
    ),
    folded('Events by kind', () => [
      table(
        'Events by kind',
        [{ title: 'event' }, { title: 'count', is: 'number' }],
        Object.entries(events).map(([event, count]) => [event, grouped(count)]),
      ),
    ]),
  ];
}

function hostFacts(host: NonNullable<Report['info']['host']>): (readonly [string, string])[] {
  const onOff = (name: string, on: boolean | undefined): string[] =>
    on === undefined ? [] : [`${name} ${on ? 'on' : 'off'}`];
  const memory = [
    ...(host.thp === undefined ? [] : [`THP ${host.thp}`]),
    ...onOff('KSM', host.ksm),
    ...onOff('NUMA balancing', host.numaBalancing),
    counted(host.numaNodes, 'NUMA node'),
    ...(host.swapBytes === undefined ? [] : [`swap ${byteSize(host.swapBytes)}`]),
  ];
  const untested = host.bpftraceTested === false ? ' (untested)' : '';
  return [
    ['kernel', `Linux ${host.kernel}, ${host.architecture}`],
    ['CPU', [host.cpu ?? 'not known', ...onOff('SMAP', host.smap)].join(', ')],
    ['memory', memory.join(', ')],
    host.perf === undefined
      ? ['bpftrace', `${host.bpftrace ?? 'not known'}${untested}`]
      : ['perf', host.perf],
  ];
}
