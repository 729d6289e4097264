/** A load in the guest that is set up and waits for the word to begin. */
import type { Host } from '../boot-host.js';
import type { RunningCommand, RunResult } from '../running-commands.js';
import { ProgramError } from '@vhostscope/terminal';

/** A load that is set up: its rings are there, and nothing has gone through them. */
export interface RunningScenario<Result> {
  /** Lets the traffic begin. */
  go(): Promise<void>;
  /** Of the whole run. Never settles before `go`, unless the load ends early. */
  readonly result: Promise<Result>;
}

/**
 * Starts a command that says `ready` on stderr and then waits for a file.
 *
 * @param commandFor - the command, given the file for which it is to wait
 * @throws {ProgramError} when it ends instead of getting ready
 */
export async function startWhenTold<Result>(
  host: Host,
  ready: string,
  commandFor: (goFile: string) => string,
  resultOf: (ended: RunResult) => Result,
): Promise<RunningScenario<Result>> {
  const goFile = `/run/go-${nextNumber()}`;
  let running!: RunningCommand;
  let isReady = false;
  await new Promise<void>((resolve, reject) => {
    let said = '';
    running = host.start(commandFor(goFile), {
      cwd: '/',
      onStderr: (bytes) => {
        if (isReady) return;
        said += bytes.toString();
        isReady = said.includes(ready);
        if (isReady) resolve();
      },
    });
    running.ended.then(
      (ended) => {
        if (!isReady) reject(failed(ended));
        return undefined;
      },
      (error: Error) => reject(error),
    );
  });
  const result = running.ended.then((ended) => {
    if (ended.status !== 0) throw failed(ended);
    return resultOf(ended);
  });
  // Whoever waits for the result hears of it; nobody has to.
  result.catch(() => undefined);
  return {
    go: async () => {
      await host.run(`touch ${goFile}`);
    },
    result,
  };
}

let lastNumber = 0;

function nextNumber(): number {
  lastNumber += 1;
  return lastNumber;
}

/** Loads end with our exit codes; what they said last is the reason. */
function failed({ status, stdout, stderr }: RunResult): ProgramError {
  const said = (stderr.trim() === '' ? stdout : stderr).trim().split('\n').slice(-3).join('; ');
  const words = said === '' ? 'it said nothing' : said;
  return new ProgramError(`the load failed (exit code ${status}): ${words}`, {
    exitCode: status <= 3 ? status : 1,
  });
}
