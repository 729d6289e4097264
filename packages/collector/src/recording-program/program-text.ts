/** How a program is put together: probes with their statements, indented, each with a word on why. */

/**
 * What stands for the current task in keys of maps. Not tid: from bpftrace 0.23 on that is a number of
 * bpftrace's own PID namespace, and the same for all tasks that are not in it.
 */
export const TASK = '(uint64)curtask';

/** A statement, or a block of them. */
export type Statement = string | readonly Statement[];

/** Probes that run the same statements. */
export interface ProbeBlock {
  /** Why, as a comment; one line each. */
  readonly comment: readonly string[];
  readonly points: readonly string[];
  /** Only events for which it holds are looked at. */
  readonly predicate?: string;
  readonly body: readonly Statement[];
}

/** The text of a block. */
export function blockText({ comment, points, predicate, body }: ProbeBlock): string {
  const head = predicate === undefined ? '' : `\n/${predicate}/`;
  return [
    ...comment.map((line) => `// ${line}`),
    `${points.join(',\n')}${head}`,
    '{',
    ...statementLines(body, 1),
    '}',
  ].join('\n');
}

function statementLines(statements: readonly Statement[], depth: number): string[] {
  return statements.flatMap((statement) =>
    typeof statement === 'string'
      ? [`${'  '.repeat(depth)}${statement}`]
      : statementLines(statement, depth + 1),
  );
}

/** Statements that run when a condition holds. */
export function when(condition: string, body: readonly Statement[]): Statement[] {
  return [`if (${condition}) {`, body, '}'];
}
