/** The result of `replay check` for people. */
import type { AccessorRules } from '@vhostscope/model';
import { counted, grouped, printable, tableLines, type TableColumn } from '@vhostscope/terminal';
import type { CheckResult } from './check-result.js';
import { eventPlace, placeCell, placeColumn, type LiveSince } from './event-place.js';
import { numberColumn, textColumn, virtqueueName, wrapped, spanLine } from './text-parts.js';

/** Rejections that are explained, and unusual chains. */
const SHOWN = 3;

export function checkText(result: CheckResult, rules: AccessorRules): string {
  const lines = [...headLines(result, rules), ''];
  if (result.accesses === 0) {
    lines.push('nothing to check: the trace holds no accesses');
    return `${lines.join('\n')}\n`;
  }
  lines.push(...virtqueueTable(result), ...notJudgedLines(result), '');
  lines.push(...verdictLines(result, rules));
  for (const rejection of result.rejections.slice(0, SHOWN))
    lines.push('', ...rejectionLines(rejection, result.live_since));
  lines.push(...moreLines(result.rejected, result.rejections.length, 'rejection'));
  lines.push(...chainLines(result));
  return `${lines.join('\n')}\n`;
}

const HANDLERS: Readonly<Record<CheckResult['handlers'], string>> = {
  net: 'handle_rx or handle_tx of vhost-net, without busy polling and zero-copy transmission',
  net_rx: 'handle_rx of vhost-net, without busy polling',
  net_tx: 'handle_tx of vhost-net, without busy polling and zero-copy transmission',
  any: 'any caller of the exported functions, in any order',
};

/** Of what, and what is taken for granted. */
function headLines(
  { trace, complete, handlers, failures, chain_length: chainLength, span }: CheckResult,
  rules: AccessorRules,
): string[] {
  const lines = [`trace       ${printable(trace)}`];
  if (complete === true) lines.push('complete    yes, as counted in the kernel');
  if (complete === false) {
    lines.push(
      'complete    NO: events are missing, or may be; what follows a known loss is judged as if it began there',
    );
  }
  if (span !== null) lines.push(spanLine(span));
  lines.push(
    ...wrapped('kernel      ', `${rules.name}: ${rules.title} (${rules.source})`),
    ...wrapped('handlers    ', `${handlers}: ${HANDLERS[handlers]}`),
    ...wrapped('chains      ', chainText(chainLength)),
  );
  if (failures) lines.push('failures    any copy from or to a ring may fail');
  return lines;
}

function chainText(chainLength: CheckResult['chain_length']): string {
  if (chainLength === 'auto')
    return 'auto: where 255 of 256 chains of a virtqueue have one length, all are assumed to have it';
  if (chainLength === 'any') return 'any: of any length that the ring allows';
  return `of at most ${counted(chainLength, 'descriptor')}`;
}

type Virtqueue = CheckResult['virtqueues'][number];

function virtqueueTable({ virtqueues, chain_length: chainLength }: CheckResult): string[] {
  const hasRecordings = virtqueues.some(({ recording }) => recording > 0);
  const columns: TableColumn[] = [
    ...(hasRecordings ? [numberColumn('recording')] : []),
    textColumn('virtqueue'),
    numberColumn('accesses'),
    numberColumn('judged'),
    numberColumn('accepted'),
    numberColumn('rejected'),
    numberColumn('chains'),
    numberColumn('descriptors'),
    numberColumn('assumed'),
    numberColumn('unusual'),
  ];
  const rows = virtqueues.map((virtqueue) => [
    ...(hasRecordings ? [String(virtqueue.recording)] : []),
    virtqueueName(virtqueue),
    grouped(virtqueue.accesses),
    grouped(virtqueue.judged),
    grouped(virtqueue.accepted),
    grouped(virtqueue.rejected),
    grouped(chainCount(virtqueue)),
    descriptorSpan(virtqueue),
    assumedLength(virtqueue, chainLength),
    grouped(virtqueue.unusual_chains),
  ]);
  return tableLines(columns, rows);
}

const chainCount = ({ chains }: Virtqueue): number =>
  Object.values(chains).reduce((sum, chains_) => sum + chains_, 0);

/** Shortest and longest chain: "1", "1…4", "2…64+" */
function descriptorSpan({ chains }: Virtqueue): string {
  const lengths = Object.keys(chains).map(Number);
  if (lengths.length === 0) return '–';
  const shown = (length: number): string => (length === 64 ? '64+' : String(length));
  const [least, most] = [Math.min(...lengths), Math.max(...lengths)];
  return least === most ? shown(least) : `${shown(least)}…${shown(most)}`;
}

function assumedLength(
  { assumed_chain_length: assumed }: Virtqueue,
  chainLength: CheckResult['chain_length'],
): string {
  if (typeof chainLength === 'number') return `≤ ${chainLength}`;
  return assumed === null ? 'any' : String(assumed);
}

const NOT_JUDGED: Readonly<Record<NonNullable<Virtqueue['not_judged']>, string>> = {
  counted: 'its recording holds accesses as counts (n > 1), which have no order',
  no_entries: 'a put_used of its recording does not say how many entries it moved',
  no_start: 'no round and no reset of it shows where its accesses begin',
};

function notJudgedLines({ virtqueues, accesses, judged }: CheckResult): string[] {
  if (accesses === judged) return [];
  const reasons = virtqueues.flatMap((virtqueue) =>
    virtqueue.not_judged === null
      ? []
      : wrapped(`  ${virtqueueName(virtqueue)}: `, NOT_JUDGED[virtqueue.not_judged]),
  );
  const isRest = virtqueues.some(
    (virtqueue) => virtqueue.not_judged === null && virtqueue.judged < virtqueue.accesses,
  );
  return [
    '',
    `not judged: ${counted(accesses - judged, 'access', 'accesses')}`,
    ...(isRest
      ? ['  before the first round, and from a rejection or a loss to the next round']
      : []),
    ...reasons,
  ];
}

function verdictLines(result: CheckResult, { name }: AccessorRules): string[] {
  const { accesses, judged, rejected, unusual_chains: unusual, complete } = result;
  if (rejected === 0 && unusual === 0) {
    if (judged === 0) return ['nothing was judged'];
    const which = judged === accesses ? '' : ' that were judged';
    return [`yes: the rules of ${name} allow all ${grouped(judged)} accesses${which}`];
  }
  if (rejected === 0) {
    return wrapped(
      'NO: ',
      `the rules of ${name} allow the accesses, but ${counted(unusual, 'chain')} ${unusual === 1 ? 'is' : 'are'} of ` +
        'unusual length: an access is missing or doubled, or the driver made an exception ' +
        '(--chain-length any allows it)',
    );
  }
  const why =
    complete === false
      ? 'events are known to be missing, which may be why'
      : 'accesses were lost that nobody reported, or what is assumed is not so (--kernel, --handlers, ' +
        '--failures, --chain-length)';
  const where = rejected === 1 ? 'it stands' : 'they stand';
  return wrapped(
    'NO: ',
    `the rules of ${name} do not allow ${counted(rejected, 'event')} where ${where}: there or before, ${why}`,
  );
}

type Rejection = CheckResult['rejections'][number];

const FOUND: Readonly<Record<string, string>> = {
  round: 'a round begins',
  'set-up': 'an ioctl of the ring addresses',
  reset: 'a reset',
};

function rejectionLines(rejection: Rejection, since: LiveSince): string[] {
  const { found, entries, expected, before } = rejection;
  return [
    ...wrapped(
      '',
      `${whereText(rejection, since)}: ${eventText(FOUND[found] ?? found, entries)}`,
      '  ',
    ),
    ...wrapped('  possible there: ', expected.map(expectedText).join(', ')),
    ...beforeLines(before, since),
  ];
}

function whereText(event: Rejection | UnusualChain, since: LiveSince): string {
  const { recording, time, cpu, vq, access } = event;
  const inRecording = recording > 0 ? `recording ${recording}, ` : '';
  return `${inRecording}${eventPlace(event, since)}, ${time} ns, cpu ${cpu}, vq ${vq}, access ${grouped(access)} of it`;
}

function eventText(event: string, entries: number | null): string {
  return entries === null ? event : `${event} of ${counted(entries, 'entry', 'entries')}`;
}

function expectedText({ event, entries }: Rejection['expected'][number]): string {
  if (entries === null) return FOUND[event] ?? event;
  const [least, most] = entries;
  return least === most ? eventText(event, least) : `${event} of ${least} to ${most} entries`;
}

function beforeLines(before: Rejection['before'], since: LiveSince): string[] {
  if (before.length === 0) return ['  nothing of it before'];
  const table = tableLines(
    [
      placeColumn(since),
      numberColumn('time (ns)'),
      numberColumn('cpu'),
      textColumn('event'),
      numberColumn('entries'),
    ],
    before.map((one) => [
      placeCell(one, since),
      one.time,
      String(one.cpu),
      one.event,
      one.entries === null ? '' : grouped(one.entries),
    ]),
  );
  return ['  before it:', ...table.map((line) => `    ${line}`)];
}

function moreLines(all: number, described: number, noun: string): string[] {
  if (all <= SHOWN) return [];
  const more = described > SHOWN ? `; --json explains ${grouped(described)}` : '';
  return ['', `and ${counted(all - Math.min(SHOWN, described), noun)} more${more}`];
}

type UnusualChain = CheckResult['first_unusual_chains'][number];

/** The assumption of each virtqueue that has unusual chains, and the first of them. */
function chainLines(result: CheckResult): string[] {
  const {
    virtqueues,
    first_unusual_chains: first,
    unusual_chains: all,
    live_since: since,
  } = result;
  const lines: string[] = [];
  for (const virtqueue of virtqueues) {
    const { assumed_chain_length: length, unusual_chains: unusual } = virtqueue;
    if (length === null || unusual === 0) continue;
    const chains = chainCount(virtqueue);
    lines.push(
      '',
      ...wrapped(
        `${virtqueueName(virtqueue)}: `,
        `assumed: chains of ${counted(length, 'descriptor')}, as in ${grouped(chains - unusual)} of ` +
          `${counted(chains, 'chain')}; with chains of any length this is possible`,
        '  ',
      ),
    );
  }
  for (const chain of first.slice(0, SHOWN)) {
    lines.push(
      '',
      ...wrapped(
        '',
        `${whereText(chain, since)}: the last get_desc of a chain of ${chain.descriptors}`,
        '  ',
      ),
      ...beforeLines(chain.before.slice(0, -1), since),
    );
  }
  return [...lines, ...moreLines(all, first.length, 'unusual chain')];
}
