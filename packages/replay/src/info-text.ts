/** The result of `replay info` for people. */
import { counted, grouped, printable, seconds, tableLines } from '@vhostscope/terminal';
import type { InfoResult } from './info-result.js';
import { idsInWords } from './merged-hosts.js';
import { listLines, numberColumn, virtqueueName, textColumn, wrapped } from './text-parts.js';

export function infoText(result: InfoResult): string {
  const lines = [
    `trace       ${printable(result.trace)}`,
    `format      ${formatText(result)}`,
    ...(result.merged === null
      ? listLines('from       ', result.sources.map(printable))
      : mergedLines(result.merged)),
    `clock       ${result.clock === 'unknown' ? 'not known' : result.clock}${result.time_step === 1 ? '' : `, in steps of ${grouped(result.time_step)} ns`}`,
    `preemption  ${result.preemption === 'unknown' ? 'not known; if it was voluntary, --preempt voluntary lets run tell more' : result.preemption}`,
    ...(result.checksums === null ? [] : [`checksums   ${checksumText(result)}`]),
    ...completeLines(result),
    ...(result.host === null ? [] : hostLines(result.host)),
    ...(result.probes === null ? [] : probeLines(result.probes)),
  ];
  for (const [number, recording] of result.recordings.entries())
    lines.push('', ...recordingLines(number, recording));
  return `${lines.join('\n')}\n`;
}

function mergedLines({ hosts, sources }: NonNullable<InfoResult['merged']>): string[] {
  return [
    `merged      ${counted(sources.length, 'file')} of ${hosts === 'one' ? 'one host' : 'different hosts'}`,
    ...sources.flatMap(({ name, clockOffset, firstCpu, firstProcess, virtqueues, first, last }) =>
      wrapped(
        '            ',
        [
          `${printable(name)}: from ${first} to ${last} ns`,
          ...(clockOffset === undefined ? [] : [`${clockOffset} ns were added to its times`]),
          ...(virtqueues === undefined || virtqueues.length === 0
            ? []
            : [`its virtqueues are vq ${idsInWords(virtqueues)}`]),
          ...(firstCpu === 0 ? [] : [`its CPU 0 is ${firstCpu}`]),
          ...(firstProcess === 0 ? [] : [`${firstProcess} is added to its process numbers`]),
        ].join(', '),
      ),
    ),
  ];
}

function hostLines(host: NonNullable<InfoResult['host']>): string[] {
  const { kernel, architecture, cpu, bpftrace, bpftraceTested, perf, thp, numaNodes } = host;
  const untested = bpftraceTested === false ? ' (untested)' : '';
  const bound = host.recorderCapabilities?.map((name) => `cap_${name}`).join(', ');
  const recorder =
    (perf === undefined ? `bpftrace ${bpftrace ?? 'unknown'}${untested}` : `perf ${perf}`) +
    (bound === undefined ? '' : ` with ${bound} only`);
  const onOff = (name: string, on: boolean | undefined): string[] =>
    on === undefined ? [] : [`${name} ${on ? 'on' : 'off'}`];
  const settings = [
    ...(thp === undefined ? [] : [`THP ${thp}`]),
    ...onOff('KSM', host.ksm),
    ...onOff('NUMA balancing', host.numaBalancing),
    counted(numaNodes, 'NUMA node'),
    ...onOff('SMAP', host.smap),
  ];
  return [
    ...wrapped('host        ', printable(`Linux ${kernel} on ${cpu ?? architecture}, ${recorder}`)),
    ...wrapped('            ', `${printable(settings.join(', '))} (when the recording began)`),
  ];
}

function probeLines({ detail, views }: NonNullable<InfoResult['probes']>): string[] {
  return [
    `detail      ${detail}`,
    ...tableLines(
      [textColumn('recorded'), textColumn('how sure'), textColumn('by')],
      views.map(({ what, certainty, by }) =>
        [what, certainty, by.length === 0 ? '–' : by.join(', ')].map(printable),
      ),
    ).map((line) => `  ${line}`),
  ];
}

function formatText({ format_version, writer }: InfoResult): string {
  if (format_version === null || writer === null) return 'text, as it was printed';
  return `${format_version}, written by ${printable(writer)}`;
}

function checksumText({ checksums, damage }: InfoResult): string {
  if (checksums !== true)
    return 'none, as older formats have none: whether a byte was changed is not known';
  return damage.length === 0 ? 'all agree' : 'agree in what is told here';
}

/** What is missing is told without the name of the trace, which stands above. */
function completeLines({ trace, complete, lost, damage }: InfoResult): string[] {
  if (complete === null) return ['complete    not known: what was emitted was not counted'];
  if (complete) return ['complete    yes, as counted in the kernel'];
  const reasons = [
    ...Object.entries(lost).map(
      ([by, howMany]) => `lost ${counted(BigInt(howMany), 'event')} (${by})`,
    ),
    ...damage.map((one) => (one.startsWith(`${trace}: `) ? one.slice(trace.length + 2) : one)),
  ];
  if (reasons.length === 0) return ['complete    NO'];
  return reasons.flatMap((reason, at) =>
    wrapped(at === 0 ? 'complete    NO: - ' : '                - ', printable(reason)),
  );
}

function recordingLines(
  number: number,
  { events, first, last, ended, cpus, virtqueues }: InfoResult['recordings'][number],
): string[] {
  const lines = [`recording ${number}`];
  if (first !== null && last !== null)
    lines.push(`  ${seconds(BigInt(last) - BigInt(first))}, from ${first} to ${last} ns`);
  if (ended !== null) lines.push(...wrapped('  ended: ', printable(ended)));
  if (cpus.length === 0) lines.push('  no event');
  else lines.push(...listLines(`  ${counted(cpus.length, 'CPU')}:`, cpus.map(String)));
  lines.push(
    ...(virtqueues.length === 0
      ? ['  no virtqueue: no vhost device was seen']
      : listLines(
          `  ${counted(virtqueues.length, 'virtqueue')} in address order:`,
          virtqueues.map((virtqueue) =>
            virtqueue.pointer === null
              ? virtqueueName(virtqueue)
              : `${virtqueueName(virtqueue)} at ${virtqueue.pointer}`,
          ),
        )),
  );
  const unseen = virtqueues.filter(({ notified }) => notified === false).length;
  if (unseen > 0)
    lines.push(
      `  ${unseen} of them in address spaces without notifiers: what invalidates those rings is not in this trace`,
    );
  if (cpus.length === 0) return lines;
  const table = tableLines(
    [textColumn('event'), numberColumn('count')],
    Object.entries(events).map(([event, times]) => [event, grouped(times)]),
  );
  return [...lines, ...table.map((line) => `  ${line}`)];
}
