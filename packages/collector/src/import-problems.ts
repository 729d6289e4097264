/** What was wrong with the inputs of an import, in sentences. */
import { counted } from '@vhostscope/terminal';
import { NO_EVENT, RECORDER } from '@vhostscope/trace';
import type { ImportedInput } from './import-result.js';

export function problemsOf(inputs: readonly ImportedInput[]): string[] {
  return inputs.flatMap(({ name, report, damage }) => {
    const problems = damage === undefined ? [] : [damage];
    const [rejected] = report.rejectedFirst;
    if (rejected !== undefined) {
      problems.push(
        `${counted(report.rejected, 'line')} could not be read, the first is line ${rejected.line} ` +
          `(byte ${rejected.offset}): ${rejected.reason}`,
      );
    }
    const [other] = report.otherFirst;
    if (other !== undefined) {
      problems.push(
        `${counted(report.other, 'line')} held no event, the first is line ${other.line} (byte ${other.offset})` +
          (other.reason === NO_EVENT ? '' : `: ${other.reason}`),
      );
    }
    if (report.lostEvents > 0n)
      problems.push(
        `${RECORDER[report.format]} lost ${counted(report.lostEvents, 'event')}: the trace is not complete`,
      );
    problems.push(...report.flaws, ...report.notes);
    return problems.map((problem) => `${name}: ${problem}`);
  });
}

/** Whether something is missing from the trace, or damaged. */
export function isFlawed({ report, damage }: ImportedInput): boolean {
  return (
    damage !== undefined || report.rejected > 0 || report.lostEvents > 0n || report.flaws.length > 0
  );
}
