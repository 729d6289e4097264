/** The result of `replay explain` for people who know the kernel. */
import type { Design } from '@vhostscope/model';
import { counted, duration, grouped, printable, tableLines } from '@vhostscope/terminal';
import { eventPlace, type LiveSince } from './event-place.js';
import { eventLines } from './event-history.js';
import { derivedLines } from './explain-derived.js';
import type {
  CallbackResult,
  ExplainResult,
  HappeningResult,
  StateResult,
} from './explain-result.js';
import { countSpan, headLines, textColumn, virtqueueName, wrapped } from './text-parts.js';

/** Callbacks that are shown. */
const SHOWN = 8;

export function explainText(result: ExplainResult, design: Design): string {
  const lines = [
    ...headLines(result, design, result.predicted?.decision === 'ambiguous' ? 1 : 0),
    '',
    ...headingLines(result),
    '',
    ...mapLines(result),
    '',
    ...countLines(result),
    ...callbackLines(result),
    '',
    ...roundLines(result),
    '',
    ...historyLines(result),
  ];
  return `${lines.join('\n')}\n`;
}

/** The event, what the model makes of it, what the kernel did. */
function headingLines(result: ExplainResult): string[] {
  const { event, access, predicted, after, live_since: since } = result;
  const recording = event.recording > 0 ? `recording ${event.recording}, ` : '';
  const name = virtqueueName({ id: event.vq, dev: after.dev });
  const lines = wrapped(
    '',
    `${recording}${eventPlace(event, since)}, ${event.time} ns, cpu ${event.cpu}, ${name}: ${subject(event, access)}`,
    '  ',
  );
  if (predicted !== null) {
    const outcome = predicted.outcome === null ? '' : ` (${predicted.outcome})`;
    lines.push(
      ...wrapped('  the model: ', `${predicted.decision}${outcome}: ${predicted.reason}`),
      `  the kernel: ${event.observed ?? 'not seen'}`,
    );
  }
  return lines;
}

function subject({ event, accessor, area, n }: HappeningResult, access: string | null): string {
  if (access === null) return area === null ? event : `${event} of ${area}`;
  const number = grouped(BigInt(access));
  return n === 1
    ? `${accessor ?? ''}, access ${number}`
    : `${accessor ?? ''}, ${grouped(n)} accesses, the last of them ${number}`;
}

/** The maps after the event, with what they were before it where that is another thing. */
function mapLines(result: ExplainResult): string[] {
  const { before, after, uses_observations: usesUnseen, live_since: liveSince } = result;
  const table = tableLines(
    [textColumn('area'), textColumn('map'), textColumn('before'), textColumn('since')],
    after.areas.map(({ area, map, since }, at) => {
      const was = before.areas[at]?.map ?? map;
      return [
        area,
        map,
        was === map ? '' : was,
        since === null ? 'the beginning' : `${eventPlace(since, liveSince)}, ${since.event}`,
      ];
    }),
  );
  const lines = ['maps after it', ...table.map((line) => `  ${line}`)];
  for (const { area, reason, range, attempt } of after.areas) {
    const where = range === null ? 'no known range' : `${range[0]} to ${range[1]}`;
    lines.push(...wrapped(`  ${area.padEnd(5)} `, `${where}: ${reason}`));
    if (attempt === null) continue;
    const pages = attempt.pages === null ? '' : `; get_user_pages: ${attempt.pages}`;
    lines.push(
      ...wrapped(
        '        ',
        `its attempt of this round is open: invalidate_count ${countSpan(...attempt.invalidate_count)}${pages}`,
      ),
    );
  }
  if (usesUnseen && after.unseen_callbacks)
    lines.push('  callbacks entered before the recording may be under way and remove maps');
  if (after.iotlb) lines.push('  device IOTLB is on: every access bypasses the maps');
  return lines;
}

/** invalidate_count and what makes it wide. */
function countLines(result: ExplainResult): string[] {
  const { before, after, count_moved: moved, live_since: since } = result;
  const now = countSpan(...after.invalidate_count);
  const was = countSpan(...before.invalidate_count);
  const change = now === was ? '' : `, before it ${was}`;
  return [
    `invalidate_count ${now}${change}; notifier ${NOTIFIER_MEANING[after.notifier]}`,
    ...after.width.flatMap((reason) => wrapped('  ', reason)),
    ...movedLines(moved, after, since),
  ];
}

function movedLines(
  moved: ExplainResult['count_moved'],
  after: StateResult,
  since: LiveSince,
): string[] {
  if (moved === null || after.invalidate_count[0] === null) return [];
  const { time, event, area, by, notifier_gone: gone, notifier_gone_at: goneAt } = moved;
  const more = moved.notifier_gone_times - 1;
  const of = area === null ? '' : ` of ${area}`;
  const who =
    by === null
      ? ''
      : `; last start entered on that CPU: ${eventPlace(by, since)}, pid ${by.pid}, "${printable(by.comm)}"`;
  const lines = wrapped(
    '  ',
    `not 0 since ${eventPlace(moved, since)}, ${time} ns: ${event}${of}${who}`,
  );
  const [least, most] = after.invalidate_count;
  if (gone === null || goneAt === null || least !== most || after.callbacks.length > 0)
    return lines;
  return [
    ...lines,
    ...wrapped(
      '  ',
      `the notifier was unregistered at ${eventPlace({ line: gone, time: goneAt }, since)}${more === 0 ? '' : `, and ${counted(more, 'time')} since`}: unless a range is still open, its end came while there was none and lowered nothing, and the count stays until the virtqueue is reset (imbalance, docs/kernel-rules.md §3.1, bug 4)`,
    ),
  ];
}

const NOTIFIER_MEANING: Readonly<Record<StateResult['notifier'], string>> = {
  registered: 'registered',
  unregistered: 'unregistered, or about to be',
  unknown: 'not seen to be registered yet',
};

function callbackLines({ after, event, vq, live_since: since }: ExplainResult): string[] {
  const { callbacks } = after;
  if (callbacks.length === 0) return [];
  const lines = ['', `${counted(callbacks.length, 'callback')} under way over vq ${vq}`];
  // The last ones: what came last is most of what is asked.
  const shown = callbacks.slice(-SHOWN);
  if (shown.length < callbacks.length) lines.push(`  the last ${SHOWN}; --json has all of them`);
  for (const callback of shown) lines.push(...oneCallback(callback, BigInt(event.time), since));
  return lines;
}

function oneCallback(callback: CallbackResult, now: bigint, since: LiveSince): string[] {
  const { cause, pid, comm, start, end, cpu } = callback;
  const age = duration(now - BigInt(callback.time));
  const place = `${eventPlace(callback, since)}, ${age} before, cpu ${cpu}`;
  const several = callback.one_of_several ? ' (it, or another like it that has returned)' : '';
  const done = effectNames(callback, 'done');
  const open = effectNames(callback, 'may');
  const perhaps = effectNames(callback, 'perhaps');
  return [
    ...wrapped(`  ${callback.event}: `, `${place}${several}`),
    ...wrapped('    ', `${cause}, ${start} to ${end}, pid ${pid}, "${printable(comm)}"`),
    ...(done.length > 0 ? wrapped('    happened: ', done.join(', ')) : []),
    ...(open.length > 0 ? wrapped('    open: ', open.join(', ')) : []),
    ...(perhaps.length > 0 ? wrapped('    may never happen: ', perhaps.join(', ')) : []),
    ...wrapped('    settled by: ', callback.bounds.join('; or ')),
  ];
}

function effectNames({ effects }: CallbackResult, state: string): string[] {
  return effects
    .filter((effect) => effect.state === state)
    .map(({ vq, area }) => `${area} of vq ${vq}`);
}

function roundLines({
  round,
  event,
  host,
  derived,
  uses_observations: used,
  live_since: liveSince,
}: ExplainResult): string[] {
  if (round === null) return ['no round since the ring was set up or reset'];
  const { begin, attempts, accesses } = round;
  const age = duration(BigInt(event.time) - BigInt(begin.time));
  if (host === 'stock') {
    const since = `round since ${eventPlace(begin, liveSince)}, ${age} before, cpu ${begin.cpu}`;
    if (derived.length > 0)
      return [`${since}: accesses that follow from this event`, ...derivedLines(derived)];
    if (event.event === 'round_end') return [`${since}: no access follows from its end`];
    return [`${since}: what it accessed is told at its round_end`];
  }
  const lines = [
    `round since ${eventPlace(begin, liveSince)}, ${age} before, cpu ${begin.cpu}: ` +
      `${counted(accesses, 'access', 'accesses')} so far`,
  ];
  if (attempts.length === 0) return [...lines, '  no attempt to map was recorded in it'];
  const how = used ? 'which settle maps and counts' : 'compared only; get_user_pages is an input';
  lines.push(`  attempts as recorded (${how}):`);
  for (const attempt of attempts) {
    const { area, observed } = attempt;
    lines.push(`    ${eventPlace(attempt, liveSince)}: ${area ?? ''} ${observed ?? ''}`.trimEnd());
  }
  return lines;
}

function historyLines({ history, live_since: since }: ExplainResult): string[] {
  if (history.length === 0) return ['no event has touched its maps or its count yet'];
  return ['what led there', ...eventLines(history, since).map((line) => line.slice(2))];
}
