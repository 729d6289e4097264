/** What `collector attach` says when a recording is over. */
import { byteSize, counted, seconds } from '@vhostscope/terminal';
import type { AttachResult } from './attach-result.js';
import type { FinishedRecording } from './record.js';

/** What went wrong, in sentences. */
export function problemsOf(
  { recorder, end, report, rejectedAfter, doubts, limits, wasReady }: FinishedRecording,
  { readers_dropped, saw_vhost }: AttachResult,
): string[] {
  const problems: string[] = [];
  if (end.why === 'output failed')
    problems.push(`${end.error.message}; what was written before can be read`);
  if (end.why === 'recorder ended' && end.complaints.length > 0)
    problems.push(`${recorder} said: ${end.complaints.join('; ')}`);
  const [rejected] = report.rejectedFirst;
  if (rejected !== undefined) {
    // Nobody has the text of a live recording to look for a line by its number.
    const when =
      rejectedAfter === undefined
        ? 'while the probes were being attached'
        : `${seconds(rejectedAfter)} into the recording`;
    problems.push(
      `${counted(report.rejected, 'line')} of ${recorder} could not be read, the first ${when}: ${rejected.reason}`,
    );
  }
  if (readers_dropped > 0)
    problems.push(`${counted(readers_dropped, 'slow reader')} of the socket dropped`);
  if (wasReady && !saw_vhost)
    problems.push(
      'no vhost device was seen: meanwhile nobody set one up, and none that was open moved anything',
    );
  return [...problems, ...limits, ...doubts];
}

/** One line about the trace that was made. */
export function summary(
  { events, bytes_written, complete, lost, missing, ended }: AttachResult,
  name: string,
): string {
  return `${name}: ${counted(events, 'event')}, ${byteSize(bytes_written)}, ${ended}; ${completeness(complete, lost, missing)}`;
}

function completeness(
  complete: boolean | null,
  lost: AttachResult['lost'],
  missing: AttachResult['missing'],
): string {
  if (complete === true) return 'complete: all that the kernel counted has arrived';
  if (complete === null) return 'whether all events arrived is not known';
  const total = Object.values(lost).reduce((sum, howMany) => sum + BigInt(howMany), 0n);
  if (total === 0n) return 'not complete';
  const classes = Object.entries(missing).flatMap(([name, howMany]) =>
    howMany > 0 ? `${name} ${howMany}` : [],
  );
  const of = classes.length === 0 ? '' : ` (${classes.join(', ')})`;
  return `NOT complete: ${counted(total, 'event')} lost${of}; a larger --buffer or less --detail loses fewer`;
}
