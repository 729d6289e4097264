/** Standard input: a trace, or what bpftrace prints, as it comes. */
import { counted, messageOf } from '@vhostscope/terminal';
import { inputName, readInput, RECORDER } from '@vhostscope/trace';
import { filledSource } from './filled-source.js';
import type { Source } from './source.js';
import {
  createSpooledStream,
  MOST_PASSING,
  WAITS_FOR_SCREEN,
  type SpooledStream,
} from './spooled-stream.js';

/** @throws OutputError where nothing can be kept */
export function readPipe(most: number, path = '-', mostPassing = MOST_PASSING): Source {
  const name = inputName(path);
  const stream = createSpooledStream(name, most, mostPassing);
  let trouble: string | undefined;
  return filledSource(stream, {
    name,
    kind: 'pipe',
    state: () =>
      stream.isOver ? 'ended' : stream.growing.damage === undefined ? 'reading' : 'gone',
    problems: () => problemsOf(stream, trouble),
    read: async ({ signal, untilWanted }) => {
      try {
        const end = await readInput(path, {
          onChunk: (bytes) => stream.push(bytes),
          // Whoever writes it waits, as for any reader that is slow.
          onPause: untilWanted,
          signal,
        });
        if (end.damage !== undefined) trouble = `${name}: ${end.damage}`;
        stream.end(end);
      } catch (error) {
        trouble = messageOf(error);
        stream.end({ damage: trouble, interrupted: false });
      }
    },
  });
}

/** Whoever wrote it did not come to its end. */
function isBrokenOff({ isOver, growing }: SpooledStream): boolean {
  return isOver && growing.trace !== undefined && !growing.isEnded && growing.damage === undefined;
}

function problemsOf(stream: SpooledStream, trouble: string | undefined): string[] {
  const { growing, report } = stream;
  const [rejected] = report?.rejectedFirst ?? [];
  const [other] = report?.otherFirst ?? [];
  return [
    ...(stream.isBehind ? [WAITS_FOR_SCREEN] : []),
    ...(stream.trouble === undefined ? [] : [stream.trouble]),
    ...(trouble === undefined ? [] : [trouble]),
    ...(growing.damage === undefined ? [] : [`${growing.name}: ${growing.damage}`]),
    ...(isBrokenOff(stream)
      ? [`${growing.name} ended before the recording did: how much is missing is not known`]
      : []),
    // Text is told of by how it was read.
    ...(report === undefined ? (growing.completeness?.problems ?? []) : []),
    ...(report === undefined || report.lostEvents === 0n
      ? []
      : [`${RECORDER[report.format]} lost ${counted(report.lostEvents, 'event')}`]),
    ...(rejected === undefined
      ? []
      : [
          `${counted(report?.rejected ?? 0, 'line')} could not be read, the first is line ${rejected.line}: ${rejected.reason}`,
        ]),
    ...(other === undefined
      ? []
      : [`${counted(report?.other ?? 0, 'line')} held no event, the first is line ${other.line}`]),
    ...(report?.notes ?? []),
  ];
}
