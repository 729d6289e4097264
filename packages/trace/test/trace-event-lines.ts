/** Lines of perf and ftrace as tests write them. */
import { recordingCountsSchema } from '../src/recording-counts-schema.ts';
import type { RecordingCounts } from '../src/recording-counts.ts';
import { importAnyText, type ImportedText } from './trace-event-files.ts';
import { eventsOf } from './trace-files.ts';

export const VQ = '0xffff8c3ecbc90100';
export const DEV = '0xffff8c3ecbc90000';
export const PAGES = 'start=0x7f74100e0000 end=0x7f74100e1000 event=1 blockable=1';

export const importLines = (...lines: string[]): ImportedText =>
  importAnyText(`${lines.join('\n')}\n`);

/** A line of perf script with default fields, and one of ftrace. */
export const perf = (
  event: string,
  { comm = 'vload', tid = 193, cpu = '000', time = '30.000000001' } = {},
): string =>
  `${comm.padStart(16)} ${String(tid).padStart(5)} [${cpu}] ${time.padStart(15)}: ${event}`;
export const ftrace = (
  event: string,
  { comm = 'vload', tid = 219, flags = '.N.1.', time = '40.000001' } = {},
): string =>
  `${comm.padStart(16)}-${String(tid).padEnd(7)} [000] ${flags} ${time.padStart(12)}: ${event}`;

/** Of a text whose header tells how perf was called. */
export const importCommand = (command: string): ImportedText =>
  importLines(`# cmdline : ${command} `, perf(`probe:vhost_vq_reset: (0) vq=${VQ}`));

export function countsOf(fd: number): RecordingCounts[] {
  return eventsOf(fd)
    .filter(({ event }) => event === 'recording_end')
    .map(({ note }) => recordingCountsSchema.parse(JSON.parse(String(note))));
}
