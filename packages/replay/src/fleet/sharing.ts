/** `--share`: other machines replay the runs, which all of them can read from one server. */
import { isFleetUrl } from '@vhostscope/fleet/url';
import { lengthOfTime, ProgramError } from '@vhostscope/terminal';

export interface Sharing {
  /** When nothing was answered for so long, what is left is given up, ms. */
  readonly waitMs: number;
}

const DEFAULT_WAIT_MS = 600_000;
/** 30 days. */
const MOST_WAIT_MS = 30 * 86_400_000;

/** Undefined where the runs are replayed here. @throws ProgramError for what cannot be shared */
export function readSharing(
  paths: readonly string[],
  {
    share,
    shareWait,
    workers,
  }: { readonly share?: boolean; readonly shareWait?: string; readonly workers?: string },
): Sharing | undefined {
  if (share !== true) {
    if (shareWait === undefined) return undefined;
    throw new ProgramError('--share-wait is of --share, which is not there');
  }
  if (workers !== undefined)
    throw new ProgramError(
      '--workers is of this machine, and --share leaves the replay to others',
      {
        advice: 'it is an option of replay fleet-worker, too',
      },
    );
  const file = paths.find((path) => !isFleetUrl(path));
  if (file !== undefined)
    throw new ProgramError(
      `${file} cannot be shared: other machines do not read files of this one`,
      {
        advice: 'publish it: collector import --publish nats://host',
      },
    );
  return { waitMs: readWait(shareWait) };
}

function readWait(text: string | undefined): number {
  if (text === undefined) return DEFAULT_WAIT_MS;
  const ms = lengthOfTime(text, 's') ?? 0;
  if (ms <= 0)
    throw new ProgramError(`--share-wait takes a time, as in 90s, 10m or 2h, not "${text}"`);
  if (ms > MOST_WAIT_MS) throw new ProgramError(`--share-wait takes 30d at most, not "${text}"`);
  return ms;
}
