/** Sends what earlier processes left in a spool. */
import { messageOf } from '@vhostscope/terminal';
import type { RunName } from './fleet-url.js';
import { sendRun, type SendOutcome } from './send-run.js';
import type { ServerLink } from './server-link.js';
import { runFolders } from './spool-folder.js';
import { openLeftRun, type LeftRun } from './spooled-run.js';

export interface SendLeftOptions {
  readonly spool: string;
  readonly link: ServerLink;
  readonly signal: AbortSignal;
  /** Says something to the user. */
  readonly tell: (words: string) => void;
  /** Whether runs that were for another server are sent to this one. */
  readonly fromAnyServer?: boolean;
  /** Called at each piece that is acknowledged. */
  readonly onProgress?: () => void;
}

export interface LeftRunResult extends RunName {
  /** Of its trace. */
  readonly bytes: number;
  readonly acknowledgedBytes: number;
  /** What of these the server has taken now, and not from an earlier process. */
  readonly sentBytes: number;
  readonly outcome: SendOutcome;
}

export interface LeftRuns {
  /** What there was of them: of some the server may have lost what it acknowledged before. */
  readonly sent: readonly LeftRunResult[];
  /** Those that are not all on the server. */
  readonly left: readonly LeftRunResult[];
  /** Runs of processes that live. */
  readonly inUse: number;
  /** Runs that were for another server. */
  readonly forOthers: number;
}

/** Sends them one after the other, the oldest first. What cannot be sent does not stop the others. */
export async function sendLeftRuns(options: SendLeftOptions): Promise<LeftRuns> {
  const { spool, link, tell, fromAnyServer = false } = options;
  const sent: LeftRunResult[] = [];
  const left: LeftRunResult[] = [];
  let inUse = 0;
  let forOthers = 0;
  for (const folder of runFolders(spool)) {
    let run: ReturnType<typeof openLeftRun>;
    try {
      run = openLeftRun(folder);
    } catch (error) {
      tell(messageOf(error));
      continue;
    }
    if (run === 'nothing') continue;
    if (run === 'in use') {
      inUse++;
      continue;
    }
    if (!fromAnyServer && run.note.server !== link.url.name) {
      forOthers++;
      run.close();
      continue;
    }
    const result = await sendOne(run, options);
    (result.outcome === 'left' ? left : sent).push(result);
  }
  return { sent, left, inUse, forOthers };
}

async function sendOne(
  run: LeftRun,
  { link, signal, tell, onProgress }: SendLeftOptions,
): Promise<LeftRunResult> {
  const { host, run: name } = run.note;
  if (run.torn > 0)
    tell(
      `run ${host}/${name}: the last ${run.torn} bytes of its spool are no whole piece and were left out`,
    );
  const before = run.acknowledged.offset;
  let outcome: SendOutcome = 'left';
  try {
    outcome = await sendRun(run, link, signal, tell, onProgress);
  } catch (error) {
    tell(messageOf(error));
  }
  const result = {
    host,
    run: name,
    bytes: run.whole.offset,
    acknowledgedBytes: run.acknowledged.offset,
    sentBytes: run.acknowledged.offset - before,
    outcome,
  };
  if (outcome !== 'left') run.remove();
  else run.close();
  return result;
}
