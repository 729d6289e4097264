/**
 * perf as child processes: `perf record` writes into `perf script`, whose text becomes lines of the dialect. Probes are
 * defined before, and taken away after, whatever happens in between.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { say } from '@vhostscope/terminal';
import { childEnvironment } from '../child-environment.js';
import { createHitAccount } from '../perf-recording/hit-account.js';
import { launch } from '../privileges/recorder-privileges.js';
import {
  recordArguments,
  SCRIPT_ARGUMENTS,
  type PerfCommand,
} from '../perf-recording/perf-command.js';
import { createPerfLines } from '../perf-recording/perf-lines.js';
import {
  defineProbes,
  removeStaleProbes,
  type TracefsProbes,
} from '../perf-recording/tracefs-probes.js';
import { CLOCK_LAG_NS } from './boot-clock.js';
import { bootOffset } from './boot-offset.js';
import { createDeferred } from './deferred.js';
import { gatherOutput } from './gathered-output.js';
import type { RecorderEnd, RecorderProcess } from './recorder-process.js';
import { whyRefused } from './refused-by-host.js';
import { cannotStart, starting } from './starting.js';

const KEPT_COMPLAINTS = 8;

/** perf record hands over what it has only when a buffer is half full, or it is told anything on this descriptor. */
const CONTROL_FD = 3;
const HAND_OVER_MS = 100;
const HAND_OVER = 'ping\n';

/** Hits are read so often where the recording begins and ends, so that no event was under way in one of them. */
const READINGS = 8;
const BETWEEN_READINGS_MS = 3;

/** Clocks that are read one after the other are so far apart. */
const LONGEST_NAP_NS = 1_000_000n;

interface Host {
  readonly onlineCpus: () => readonly number[];
  /** ns, CLOCK_BOOTTIME. */
  readonly now: () => bigint;
}

/** @throws ProgramError when the probes cannot be defined, or perf cannot be started */
export async function startPerf(command: PerfCommand, host: Host): Promise<RecorderProcess> {
  const left = await removeStaleProbes(command.tracefs);
  const probes = defineProbes(command.tracefs, command.definitions);
  const doubts =
    left.length > 0
      ? [`probes of a recorder that is gone could not be taken away: ${left.join(', ')}`]
      : [];
  try {
    return await startProcesses(command, probes, host, doubts);
  } catch (error) {
    await probes.remove();
    throw error;
  }
}

async function startProcesses(
  command: PerfCommand,
  probes: TracefsProbes,
  { onlineCpus, now }: Host,
  doubts: string[],
): Promise<RecorderProcess> {
  const toBoottime = bootOffset(now);
  const output = gatherOutput();
  const complaints: string[] = [];
  const args = recordArguments(command, probes.names, CONTROL_FD);
  // Groups of their own: Ctrl-C in the terminal is for us. Should we be killed, the next line kills them.
  const env = childEnvironment();
  const recording = launch(command.privileges, command.path, args);
  const record = starting(recording.program, adviceOn(recording.program), () =>
    spawn(recording.program, recording.args, {
      env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      detached: true,
    }),
  );
  const recordEnded = endOf(record);
  // Line by line: perf script keeps what it prints until there is more, else.
  const printing = launch(command.privileges, STDBUF, ['-oL', command.path, ...SCRIPT_ARGUMENTS]);
  let script: ChildProcess;
  try {
    script = starting(printing.program, adviceOn(printing.program), () =>
      spawn(printing.program, printing.args, {
        env,
        stdio: [record.stdout ?? 'ignore', output.childEnd, 'pipe'],
        detached: true,
      }),
    );
  } catch (error) {
    record.kill('SIGKILL');
    await recordEnded;
    throw error;
  }
  const scriptEnded = endOf(script);
  output.handedOver();
  // It is theirs alone: perf script shall see that perf record is gone.
  record.stdout?.destroy();
  const kill = (): void => {
    record.kill('SIGKILL');
    script.kill('SIGKILL');
  };
  for (const child of [record, script]) keepComplaints(child, complaints);
  try {
    await Promise.all([spawned(record, recording.program), spawned(script, printing.program)]);
  } catch (error) {
    kill();
    await output.end();
    throw error;
  }
  // Should this process end without getting to the end of its work.
  const atExit = (): void => {
    kill();
    probes.removeNow();
  };
  process.once('exit', atExit);
  const control = record.stdio[CONTROL_FD] as Socket;
  control.on('error', () => undefined);
  const pinging = setInterval(() => control.write(HAND_OVER), HAND_OVER_MS);
  let isInterrupted = false;
  let closed: Promise<void> | undefined;
  const ended = (async (): Promise<RecorderEnd> => {
    const [ofRecord, ofScript] = await Promise.all([
      recordEnded.finally(() => clearInterval(pinging)),
      scriptEnded,
    ]);
    await output.end();
    control.destroy();
    return isInterrupted || ofRecord.code === 0 ? ofScript : ofRecord;
  })();

  const ready = createDeferred();
  /** CPUs that have told a heartbeat: on them all events are told from now on. */
  const heard = new Set<number>();
  let isReady = false;
  const hits = createHitAccount(probes.events);
  const events = createPerfLines(command, probes.names, toBoottime, {
    onHeartbeat: (cpu) => {
      if (isReady) return;
      heard.add(cpu);
      isReady = onlineCpus().every((online) => heard.has(online));
      if (isReady) void readHits('begin').then(() => ready.resolve());
    },
    onArrival: (event, time) => hits.hear(event, time),
    onUncounted: () => doubts.push('perf lost events and does not say how many'),
  });

  /** Why no reading could be made where the recording begins, or ends: the hits are not known then. */
  const noReading: { begin?: string; end?: string } = {};

  async function readHits(where: 'begin' | 'end'): Promise<void> {
    let readings = 0;
    let refused: string | undefined;
    for (let reading = 0; reading < READINGS; reading++) {
      if (reading > 0) await pause(BETWEEN_READINGS_MS);
      try {
        const from = now();
        const counted = probes.hits();
        hits.noteHits(where, from, now() + CLOCK_LAG_NS, counted);
        readings++;
      } catch (error) {
        refused = whyRefused(error);
      }
    }
    if (readings === 0 && refused !== undefined) noReading[where] = refused;
  }

  /** Where the clock of the events and this one may have gone apart. */
  function doubtOfClocks(): string | undefined {
    try {
      return bootOffset(now) - toBoottime > LONGEST_NAP_NS
        ? 'the machine has slept meanwhile: what came after that is told too early'
        : undefined;
    } catch (error) {
      return `whether the machine has slept meanwhile is not known: ${whyRefused(error)}`;
    }
  }

  return {
    name: 'perf',
    pids: [record.pid ?? 0, script.pid ?? 0],
    output: {
      read: (onBytes) =>
        output.read((bytes) => {
          const lines = events.read(bytes);
          if (lines.length > 0) onBytes(lines);
        }),
      pause: () => output.pause(),
      resume: () => output.resume(),
      discard: () => output.discard(),
      failed: output.failed,
      get failure() {
        return output.failure;
      },
    },
    ready: ready.promise,
    ended,
    complaints,
    hear: () => undefined,
    skipped: async () => {
      await readHits('end');
      return Number(hits.reckon().misses);
    },
    reckon: () => {
      const { lost, unknown, uncounted } = hits.reckon();
      if (uncounted.length > 0) {
        const reason = noReading.begin ?? noReading.end;
        const why = reason === undefined ? '' : `: ${reason}`;
        doubts.push(`how often the kernel hit ${uncounted.join(', ')} is not known${why}`);
      }
      const apart = doubtOfClocks();
      if (apart !== undefined) doubts.push(apart);
      return {
        lost,
        doubts:
          unknown === 0n
            ? doubts
            : [
                ...doubts,
                `of ${unknown} events it is not known whether they belong to the recording`,
              ],
      };
    },
    interrupt: () => {
      isInterrupted = true;
      record.kill('SIGINT');
    },
    kill,
    close: async () => {
      isInterrupted = true;
      kill();
      await Promise.all([recordEnded, scriptEnded]);
      closed ??= removeAll(probes, command.tracefs);
      await closed;
      process.removeListener('exit', atExit);
    },
  };
}

/** What cannot be taken away costs the host until it is: whoever uses it has to know. */
async function removeAll(probes: TracefsProbes, tracefs: string): Promise<void> {
  const left = await probes.remove();
  if (left.length === 0) return;
  say(
    'collector',
    `${left.length} probes stay in this host, as somebody else uses them; when nobody does: ${left.map((event) => `echo '-:${event}' >> ${tracefs}/kprobe_events`).join('; ')}`,
  );
}

function keepComplaints({ stderr }: ChildProcess, complaints: string[]): void {
  let rest = '';
  stderr?.setEncoding('latin1').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = (lines.pop() ?? '').slice(0, MAX_COMPLAINT);
    for (const line of lines)
      if (complaints.length < KEPT_COMPLAINTS && line.trim() !== '' && !HARMLESS.test(line))
        complaints.push(line.trim().slice(0, MAX_COMPLAINT));
  });
}

const MAX_COMPLAINT = 300;
/** Said by perf while everything works. */
const HARMLESS = /^\[ perf record: |Ignoring\.$|^Events (?:enabled|disabled)$|^(?:Error|Warning):$/;

async function endOf(child: ChildProcess): Promise<RecorderEnd> {
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: null, signal: null }));
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

async function spawned(child: ChildProcess, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', () => resolve());
    child.once('error', (error) => reject(cannotStart(path, error, adviceOn(path))));
  });
}

const STDBUF = 'stdbuf';

function adviceOn(path: string): string {
  return path === STDBUF ? 'it is part of coreutils' : 'install perf, or name it with --perf';
}
