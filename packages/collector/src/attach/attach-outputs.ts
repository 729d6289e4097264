/** Where a recording goes: to a file, a socket, a server, and to who asks for its metrics. */
import { join } from 'node:path';
import { EXIT, ProgramError } from '@vhostscope/terminal';
import { OutputError, type TraceOutput } from '@vhostscope/trace';
import { openPublishing, type Publishing } from '../fleet/publishing.js';
import type { UserAccount } from '../privileges/user-account.js';
import type { AttachOptions } from './attach-options.js';
import { createBootClock } from './boot-clock.js';
import { privateSocket, type DashboardProcess } from './dashboard-process.js';
import { openLiveSocket, type LiveSocket } from './live-socket.js';
import type { MetricsListener } from './metrics-listener.js';
import type { StopRequest } from './stop-request.js';
import { openTarget, withCopy, type TraceTarget } from './trace-target.js';

export interface Outputs {
  readonly target: TraceTarget;
  readonly socket: LiveSocket | undefined;
  readonly socketPath: string | undefined;
  readonly publishing: Publishing | undefined;
  /** Where the socket lies that is for the dashboard alone. */
  readonly ownSocket: ReturnType<typeof privateSocket> | undefined;
  readonly metrics: MetricsListener | undefined;
  /** Once there is something to show. */
  dashboard: DashboardProcess | undefined;
  /** All of them. */
  readonly output: TraceOutput;
  readonly name: string;
}

/**
 * Opens them; `tell` says what is to be said of the server meanwhile.
 *
 * @throws ProgramError, OutputError
 */
export async function openOutputsAs(
  user: UserAccount | undefined,
  options: AttachOptions,
  stop: StopRequest,
  tell: (words: string) => void,
): Promise<Outputs> {
  if (user === undefined) return openOutputs(options, stop, tell);
  const spool = options.spool ?? join(user.home, '.local', 'state', 'vhostscope', 'spool');
  try {
    return await openOutputs({ ...options, spool }, stop, tell);
  } catch (error) {
    if (!(error instanceof OutputError)) throw error;
    throw new ProgramError(error.message, {
      exitCode: EXIT.unusable,
      advice: `with --user ${user.name} all is written as that user: name a place where that user may write`,
    });
  }
}

async function openOutputs(
  options: AttachOptions,
  stop: StopRequest,
  tell: (words: string) => void,
): Promise<Outputs> {
  const { output, socket: wanted, metrics: address, tui, overwrite } = options;
  const file = openTarget(output, overwrite, () => stop.request({ why: 'reader gone' }));
  let publishing: Publishing | undefined;
  try {
    publishing = await publishingOf(options, file, tell);
  } catch (error) {
    file.close();
    throw error;
  }
  const target = publishing?.target ?? file;
  let ownSocket: Outputs['ownSocket'];
  let metrics: MetricsListener | undefined;
  try {
    if (tui === true && wanted === undefined) ownSocket = privateSocket();
    if (address !== undefined) {
      const { openMetricsListener } = await import('./metrics-listener.js');
      metrics = await openMetricsListener(address);
    }
    const socketPath = wanted ?? ownSocket?.path;
    const socket = socketPath === undefined ? undefined : await openLiveSocket(socketPath);
    return {
      target,
      publishing,
      socket,
      socketPath,
      ownSocket,
      metrics,
      dashboard: undefined,
      output: socket === undefined ? target.output : withCopy(target.output, socket.output),
      name: [target.name, wanted].filter((name) => name !== undefined).join(' and '),
    };
  } catch (error) {
    await publishing?.close();
    target.close();
    ownSocket?.remove();
    metrics?.close();
    throw error;
  }
}

async function publishingOf(
  { publish, ...flags }: AttachOptions,
  beside: TraceTarget,
  tell: (words: string) => void,
): Promise<Publishing | undefined> {
  if (publish === undefined) return undefined;
  const clock = createBootClock();
  return openPublishing({ ...flags, publish }, beside, {
    tell,
    clock: { name: 'CLOCK_BOOTTIME', now: () => clock.now() },
    canWait: false,
  });
}
