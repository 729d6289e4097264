/** The result of `replay verify` for people. */
import { counted, grouped, printable, tableLines } from '@vhostscope/terminal';
import type { MismatchResult, VerifyResult } from './verify-result.js';

/** Disagreements printed in full. */
const SHOWN = 3;

export function verifyText(result: VerifyResult): string {
  const { accesses, refusals } = result;
  const lines = [
    `verify   ${printable(result.trace)}, design ${result.design}, order ${result.order}`,
  ];
  if (result.compared === 0) {
    lines.push('nothing to compare: the trace does not say what the kernel decided');
    return `${lines.join('\n')}\n`;
  }
  lines.push(
    `${grouped(accesses.agree)} of ${counted(accesses.compared, 'decision')} as the kernel took them, ` +
      `${grouped(accesses.disagree)} otherwise, ${grouped(accesses.ambiguous)} ambiguous`,
    `${grouped(refusals.agree)} of ${counted(refusals.compared, 'attempt')} to map refused or not as in the kernel, ` +
      `${grouped(refusals.disagree)} otherwise, ${grouped(refusals.ambiguous)} ambiguous`,
    verdict(result),
  );
  for (const mismatch of result.first.slice(0, SHOWN)) lines.push('', ...mismatchLines(mismatch));
  if (result.disagree > SHOWN)
    lines.push('', `… and ${grouped(result.disagree - SHOWN)} more; --json lists the first ten`);
  return `${lines.join('\n')}\n`;
}

function verdict({ disagree, ambiguous }: VerifyResult): string {
  if (disagree > 0) return `NO: the model disagrees with the kernel ${counted(disagree, 'time')}`;
  return ambiguous > 0 ? 'yes, wherever the trace can tell' : 'yes, everywhere';
}

function mismatchLines(mismatch: MismatchResult): string[] {
  const subject = mismatch.accessor ?? `map of ${mismatch.area ?? ''}`;
  return [
    `line ${mismatch.line}, ${mismatch.time} ns, cpu ${mismatch.cpu}, vq ${mismatch.vq}, ${subject}: ` +
      `predicted ${mismatch.predicted}, kernel ${mismatch.observed}; what led there:`,
    ...tableLines(
      [
        { title: '  line', align: 'right' },
        { title: 'time (ns)', align: 'right' },
        { title: 'cpu', align: 'right' },
        { title: 'event', align: 'left' },
        { title: 'area', align: 'left' },
        { title: 'invalidate_count', align: 'left' },
      ],
      mismatch.events.map(({ line, time, cpu, event, area, invalidate_count: [low, high] }) => [
        String(line),
        time,
        String(cpu),
        event,
        area ?? '',
        low === high ? String(low) : `${low}…${high}`,
      ]),
    ),
  ];
}
