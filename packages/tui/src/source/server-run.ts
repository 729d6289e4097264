/** A run on the server of a fleet: read from its beginning, and on while it is being sent. */
import { messageOf } from '@vhostscope/terminal';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  chosenRun,
  openFleet,
  type Fleet,
  type RunName,
  type RunReading,
  type RunReadResult,
} from '@vhostscope/fleet';
import { OutputError } from '@vhostscope/trace';
import { filledSource, type Reading } from './filled-source.js';
import type { Source } from './source.js';
import { createSpooledStream, MOST_PASSING, WAITS_FOR_SCREEN } from './spooled-stream.js';

/** Between two tries to reach a server that went away, ms. */
const TRY_EVERY = 1000;

/** Pieces that a sender has to send again come by then, ms: those that have not may be gone. */
const COMES_LATE = 2000;

/**
 * @param url of a server, and of a run where it holds several
 * @throws ProgramError where the server cannot be asked now, or the run is not known
 */
export async function followServerRun(
  url: string,
  most: number,
  mostPassing = MOST_PASSING,
): Promise<Source> {
  const fleet = await openFleet(url);
  try {
    return followRun(fleet, await chosenRun(fleet), most, mostPassing);
  } catch (error) {
    await fleet.close();
    throw error;
  }
}

/** The same of a server that is connected; closes it with the source. @throws OutputError where nothing can be kept */
export function followRun(
  fleet: Pick<Fleet, 'readRun' | 'close' | 'isCut'>,
  { host, run }: RunName,
  most: number,
  mostPassing = MOST_PASSING,
): Source {
  const name = `${host}/${run}`;
  const stream = createSpooledStream(name, most, mostPassing);
  /** What is wrong at present, as the server cannot be reached; what is wrong with the run. */
  let trouble: string | undefined;
  let damage: string | undefined;
  /** Bytes of the run that are in the stream. */
  let taken = 0;
  /** The reading under way; which pieces it lacks, and since when. */
  let underway: RunReading | undefined;
  let lacks: string | undefined;
  let lacksSince = 0;
  let isLacking = false;

  async function readAll(turn: Reading): Promise<void> {
    const { signal } = turn;
    while (!signal.aborted) {
      try {
        const result = await readOnce(turn);
        if (result === undefined) return;
        stream.end({ damage: result.damage, interrupted: false });
        damage = result.damage ?? (stream.growing.isEnded ? undefined : CUT);
        return;
      } catch (error) {
        const why = messageOf(error);
        if (error instanceof OutputError) {
          // No room to keep it: what there is stays.
          trouble = why;
          stream.end({ damage: why, interrupted: false });
          return;
        }
        trouble = `${why}; tried again every second`;
      }
      await sleep(TRY_EVERY, undefined, { signal }).catch(() => undefined);
    }
  }

  /** From the start: what was taken already comes again, as it was. */
  async function readOnce(turn: Reading): Promise<RunReadResult | undefined> {
    const { signal } = turn;
    const reading = fleet.readRun(host, run, { follow: true, signal });
    underway = reading;
    let seen = 0;
    for await (const bytes of reading) {
      if (turn.isStopped || signal.aborted) return undefined;
      trouble = undefined;
      const isNew = seen + bytes.length - taken;
      seen += bytes.length;
      if (isNew > 0) {
        stream.push(isNew < bytes.length ? bytes.subarray(bytes.length - isNew) : bytes);
        taken = seen;
      }
      await turn.untilWanted();
    }
    return signal.aborted ? undefined : reading.result;
  }

  return filledSource(stream, {
    name,
    kind: 'server',
    state: () => {
      if (stream.isOver) return 'ended';
      if (stream.growing.damage !== undefined) return 'gone';
      return taken === 0 ? 'waiting' : 'reading';
    },
    problems: () => {
      const { growing } = stream;
      return [
        ...(stream.isBehind ? [WAITS_FOR_SCREEN] : []),
        ...(stream.trouble === undefined ? [] : [stream.trouble]),
        ...(trouble === undefined ? [] : [trouble]),
        ...(fleet.isCut && !stream.isOver
          ? ['the connection to the server is cut; it is tried again']
          : []),
        ...(isLacking && !stream.isOver
          ? [`${name}: ${lacks}: what follows waits for them, and they may be gone`]
          : []),
        ...(taken === 0 && lacks === undefined && !stream.isOver && !fleet.isCut
          ? [
              `the server has nothing of ${name} yet: it may be named otherwise (collector fleet status)`,
            ]
          : []),
        ...(damage === undefined ? [] : [`${name}: ${damage}`]),
        ...(growing.damage === undefined ? [] : [`${growing.name}: ${growing.damage}`]),
        ...(growing.completeness?.problems ?? []),
      ];
    },
    read: readAll,
    onRefresh: (now) => {
      const lacking = underway?.lacks;
      if (lacking !== lacks) lacksSince = now;
      lacks = lacking;
      isLacking = lacks !== undefined && now - lacksSince >= COMES_LATE;
    },
    onClose: async () => fleet.close(),
  });
}

/** Of a run whose recorder was killed, or whose spool was. */
const CUT = 'it ended before the recording did: how much is missing is not known';
