/** The result of `replay verify` for people. */
import { OUTCOME_MEANING, type Design } from '@vhostscope/model';
import { counted, grouped, percent, tableLines } from '@vhostscope/terminal';
import { eventLines } from './event-history.js';
import { eventPlace, type LiveSince } from './event-place.js';
import { headLines, numberColumn, textColumn } from './text-parts.js';
import type { MismatchResult, VerifyResult } from './verify-result.js';

/** Disagreements that are explained. */
const SHOWN = 3;

export function verifyText(result: VerifyResult, design: Design): string {
  const lines = [...headLines(result, design, result.ambiguous), ''];
  if (result.compared === 0) {
    lines.push('nothing to compare: the trace does not say what the kernel decided');
    return `${lines.join('\n')}\n`;
  }
  lines.push(
    ...tableLines(
      [
        textColumn('what the kernel decided'),
        numberColumn('compared'),
        numberColumn('agree'),
        numberColumn('disagree'),
        numberColumn('ambiguous'),
      ],
      [
        ['accesses: direct map or not', ...comparisonCells(result.accesses)],
        ['attempts to map: refused or not', ...comparisonCells(result.refusals)],
      ],
    ),
    ...settledLines(result.refusals.settled),
    '',
    verdict(result),
    ...explanations(result.first.slice(0, SHOWN), result.live_since),
  );
  if (result.disagree > SHOWN) {
    lines.push(
      '',
      `and ${grouped(result.disagree - SHOWN)} more; --json explains the first ${result.first.length}`,
    );
  }
  return `${lines.join('\n')}\n`;
}

/** Attempts that tell of themselves prove nothing. */
function settledLines(settled: number): string[] {
  if (settled === 0) return [];
  return [
    `not compared: ${counted(settled, 'attempt')} that only ${settled === 1 ? 'its' : 'their'} own observation settled`,
  ];
}

function comparisonCells({
  compared,
  agree,
  disagree,
  ambiguous,
}: VerifyResult['accesses']): string[] {
  return [compared, agree, disagree, ambiguous].map((count) => grouped(count));
}

function verdict({ design, disagree, ambiguous, agree, compared, complete }: VerifyResult): string {
  if (disagree > 0) {
    const no = `NO: ${counted(disagree, 'decision')} of the kernel contradict the model`;
    if (complete === false) return `${no}; events are missing, or may be, and that may be why`;
    return `${no}; was ${design} the design of that kernel?`;
  }
  if (agree === 0)
    return 'no answer: the trace does not tell what the model would have decided, not of one decision';
  const yes =
    ambiguous > 0
      ? `yes: the model agrees with the kernel wherever the trace can tell: ${percent(agree, compared)} of the decisions`
      : 'yes: the model agrees with the kernel everywhere';
  return complete === false ? `${yes}; events of the trace are missing, or may be` : yes;
}

/** Each with the events that led to it; events that stand under an earlier one are not repeated. */
function explanations(mismatches: readonly MismatchResult[], since: LiveSince): string[] {
  const lines: string[] = [];
  const seen = new Set<string>();
  for (const mismatch of mismatches) {
    const events = mismatch.events.filter(
      (event) => !seen.has(`${mismatch.recording} ${mismatch.vq} ${event.line} ${event.time}`),
    );
    for (const event of events)
      seen.add(`${mismatch.recording} ${mismatch.vq} ${event.line} ${event.time}`);
    lines.push('', ...mismatchLines(mismatch, since));
    const isRepeated = events.length < mismatch.events.length;
    const head = isRepeated ? '  what led there: as above' : '  what led there:';
    if (events.length === 0) lines.push(head);
    else lines.push(isRepeated ? `${head}, then` : head, ...eventLines(events, since));
  }
  return lines;
}

function mismatchLines(mismatch: MismatchResult, since: LiveSince): string[] {
  const recording = mismatch.recording > 0 ? `recording ${mismatch.recording}, ` : '';
  const subject = mismatch.accessor ?? `attempt to map ${mismatch.area ?? ''}`;
  const meaning = OUTCOME_MEANING[mismatch.predicted.replace(/^fallback \((.*)\)$/, '$1')];
  return [
    `${recording}${eventPlace(mismatch, since)}, ${mismatch.time} ns, cpu ${mismatch.cpu}, vq ${mismatch.vq}, ${subject}`,
    `  the model: ${mismatch.predicted}${meaning === undefined ? '' : `: ${meaning}`}`,
    `  the kernel: ${mismatch.observed}`,
  ];
}
