/** What a recording shows on a terminal: one line, written over once a second. */
import { byteSize, counted, openPassingLine } from '@vhostscope/terminal';
import type { TraceWriter } from '@vhostscope/trace';

const PAUSE_MS = 1000;

/**
 * Begins to show a recording on stderr when that is a terminal; otherwise nothing is drawn.
 *
 * @returns removes the line
 */
export function showRecording(writer: TraceWriter): () => void {
  return showLine((seconds) => stateLine(seconds, writer));
}

/** The same while bpftrace attaches its probes, which takes a minute on a slow machine. */
export function showAttaching(): () => void {
  return showLine((seconds) => `attaching the probes ${clock(seconds)}: nothing is recorded yet`);
}

function showLine(textAfter: (seconds: number) => string): () => void {
  const line = openPassingLine();
  if (line === undefined) return () => undefined;
  const begun = performance.now();
  const timer = setInterval(() => {
    line.show(textAfter(Math.round((performance.now() - begun) / 1000)));
  }, PAUSE_MS);
  return () => {
    clearInterval(timer);
    line.clear();
  };
}

function clock(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function stateLine(seconds: number, { events, bytes, current }: TraceWriter): string {
  const lost = [...(current?.lost.values() ?? [])].reduce((sum, howMany) => sum + howMany, 0n);
  const loss = lost > 0n ? `, ${counted(lost, 'event')} lost` : '';
  return (
    `recording ${clock(seconds)}, ${counted(events, 'event')} of ` +
    `${counted(current?.objects.virtqueues.size ?? 0, 'virtqueue')}, ${byteSize(bytes)}${loss}`
  );
}
