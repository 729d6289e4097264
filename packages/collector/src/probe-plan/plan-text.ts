/** A probe plan for people. */
import { tableLines } from '@vhostscope/terminal';
import type { ProbePlan } from './probe-plan.js';

/** @param remarks sentences, printable */
export function planText(
  { detail, views }: Pick<ProbePlan, 'detail' | 'views'>,
  remarks: readonly string[],
): string {
  const table = tableLines(
    [
      { title: `detail ${detail}`, align: 'left' },
      { title: 'how sure', align: 'left' },
      { title: 'by', align: 'left' },
    ],
    views.map(({ what, certainty, by }) => [what, certainty, by.join(', ') || '–']),
  );
  const notes = views.map(({ what, note }) => `${what}: ${note}.`);
  return `${[...table, '', ...notes, ...remarks.map((remark) => `! ${remark}.`)].join('\n')}\n`;
}
