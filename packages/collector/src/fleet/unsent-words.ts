/** What is said of a run that is not all on the server, whoever was to send it. */
import { byteSize } from '@vhostscope/terminal';

export interface UnsentRun {
  /** Of the run. */
  readonly url: string;
  readonly bytes: number;
  readonly acknowledgedBytes: number;
  readonly spool: string;
  readonly trouble: string | undefined;
}

/**
 * @param server its URL
 * @param isNamed whether the spool has to be named in a command
 */
export function unsentWords(run: UnsentRun, server: string, isNamed: boolean): string {
  const { url, bytes, acknowledgedBytes, spool, trouble } = run;
  const has =
    acknowledgedBytes < bytes
      ? `${byteSize(acknowledgedBytes)} of ${byteSize(bytes)}`
      : `all ${byteSize(bytes)}, and not that this is the end`;
  return (
    `${url}: the server has ${has}; the rest waits in ${spool}` +
    `${trouble === undefined ? '' : ` (${trouble})`}; ` +
    `the next --publish sends it, or: collector fleet send${isNamed ? ` --spool ${spool}` : ''} ${server}`
  );
}
