/** From the text of perf script to lines of the dialect: which probe a line is of, and what is no probe's. */
import { createLiveEvents } from '@vhostscope/trace';
import { HEARTBEAT, type PerfCommand } from './perf-command.js';
import { eventName, type PerfEvent, type ProbeNames } from './probe-definitions.js';
import { createToldByPerf } from './told-by-perf.js';

export interface PerfLines {
  /** @returns the lines that the bytes make; the same memory is not used again */
  read(bytes: Uint8Array): Uint8Array;
}

export interface PerfLineHandlers {
  /** A CPU has told a heartbeat. */
  readonly onHeartbeat: (cpu: number) => void;
  /** @param event its name, without the group */
  readonly onArrival: (event: string, time: bigint) => void;
  /** perf lost events, and does not say how many. */
  readonly onUncounted: () => void;
}

/** @param toBoottime what to add to a time of CLOCK_MONOTONIC, ns */
export function createPerfLines(
  { definitions, mutexOffset }: Pick<PerfCommand, 'definitions' | 'mutexOffset'>,
  names: ProbeNames,
  toBoottime: bigint,
  { onHeartbeat, onArrival, onUncounted }: PerfLineHandlers,
): PerfLines {
  const known = new Map<
    string,
    { readonly short: string; readonly event: PerfEvent; readonly keepsStack: boolean }
  >(
    definitions.map((definition, index) => {
      const short = eventName(definition, index, names);
      const { event, keepsStack = false } = definition;
      return [`${names.group}:${short}`, { short, event, keepsStack }];
    }),
  );
  let lines = '';
  const told = createToldByPerf(mutexOffset, (text) => (lines += text));
  const events = createLiveEvents({
    onEvent: (printed) => {
      const { name } = printed;
      const time = printed.time + toBoottime;
      const event = { ...printed, time };
      if (name === HEARTBEAT) {
        told.hearHeartbeat(event);
        onHeartbeat(event.cpu);
        return false;
      }
      // With a call chain its name is told with how it was asked for.
      const found = known.get(name) ?? known.get(name.split('/', 1)[0] ?? '');
      if (found === undefined) return false;
      onArrival(found.short, time);
      told.hear(found.event, event);
      return found.keepsStack;
    },
    onFrame: (text) => {
      const name = FRAME.exec(text)?.[1];
      told.hearFrame(name === undefined ? '?' : `${name}+0`);
    },
    onChainEnd: () => told.endStack(),
    // As bpftrace says it.
    onLost: (howMany) => {
      if (howMany === undefined) onUncounted();
      else lines += `Lost ${howMany} events\n`;
    },
    // perf prints nothing else that tells of the kernel.
    onOther: () => undefined,
  });
  return {
    read: (bytes) => {
      events.push(bytes);
      const text = lines;
      lines = '';
      return Buffer.from(text, 'latin1');
    },
  };
}

/** Address and name of a function. */
const FRAME = /^\t *[0-9a-f]+ ([A-Za-z_][\w.$]{0,127})/;
