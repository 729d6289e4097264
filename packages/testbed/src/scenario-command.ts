/** `testbed dpdk|load|vsock`: a load in a fresh host, and maybe a command beside it. */
import { EXIT, jsonDocument, say, writeOut } from '@vhostscope/terminal';
import { shellQuoted, type Host } from './boot-host.js';
import { kernelTroubles } from './guest-console.js';
import { onBootedHost, type HostOptions, type Interruption } from './on-booted-host.js';
import type { RunningCommand } from './running-commands.js';
import type { RunningScenario } from './scenarios/running-scenario.js';

export interface ScenarioCommand<Result> {
  readonly name: string;
  readonly host: HostOptions;
  readonly start: (host: Host) => Promise<RunningScenario<Result>>;
  readonly textOf: (result: Result) => string[];
  /** To run beside the load: one word is a shell command; several are a program and its arguments. */
  readonly beside: readonly string[];
  /** Seconds between the start of that command and the start of the traffic. */
  readonly lead: number;
  readonly json: boolean;
}

/** After its Ctrl-C a command may save what it has; under emulation that takes its time. */
const GRACE_MS = 120_000;

/**
 * Boots a host, runs the load in it, prints the result.
 *
 * @returns 0; or the exit code of the command beside the load where that is not 0
 */
export async function scenarioCommand<Result extends object>(
  command: ScenarioCommand<Result>,
): Promise<number> {
  return onBootedHost(command.host, async (host, interruption) => {
    const scenario = await command.start(host);
    const beside = startBeside(host, command, interruption);
    if (beside !== undefined) await Promise.race([sleep(command.lead * 1000), beside.ended]);
    await scenario.go();
    const result = await scenario.result;
    const status = beside === undefined ? EXIT.done : await endBeside(beside);
    await print(command, host, result, beside === undefined ? undefined : status);
    reportKernelTroubles(host);
    return status;
  });
}

function startBeside(
  host: Host,
  { beside, json }: { beside: readonly string[]; json: boolean },
  interruption: Interruption,
): RunningCommand | undefined {
  const [only = ''] = beside;
  if (beside.length === 0) return undefined;
  const running = host.start(beside.length === 1 ? only : beside.map(shellQuoted).join(' '), {
    // One document is all that stdout gets with --json.
    onStdout: (bytes) => (json ? process.stderr : process.stdout).write(bytes),
    onStderr: (bytes) => process.stderr.write(bytes),
    discard: true,
  });
  interruption.onFirst(() => running.signal('SIGINT'));
  return running;
}

/** The load is through: Ctrl-C for the command beside it. */
async function endBeside(running: RunningCommand): Promise<number> {
  running.signal('SIGINT');
  const giveUp = setTimeout(() => {
    say('testbed', `the command did not end within ${GRACE_MS / 1000} s of its SIGINT; killed`);
    running.signal('SIGKILL');
  }, GRACE_MS);
  const { status } = await running.ended;
  clearTimeout(giveUp);
  // What a SIGINT ends without more ado says so; that was our doing.
  return status === 130 ? EXIT.done : status;
}

async function print<Result extends object>(
  { name, host: { cpus, preempt }, textOf, json }: ScenarioCommand<Result>,
  { kernelRelease }: Host,
  result: Result,
  commandStatus: number | undefined,
): Promise<void> {
  if (json) {
    const machine = { kernel: kernelRelease, cpus, preempt };
    const command = commandStatus === undefined ? {} : { command_status: commandStatus };
    await writeOut(jsonDocument({ scenario: name, ...machine, result, ...command }));
  } else {
    const machine = `Linux ${kernelRelease}, ${cpus === 1 ? '1 CPU' : '2 CPUs'}, preempt=${preempt}`;
    await writeOut([`${name} on ${machine}`, ...textOf(result), ''].join('\n'));
  }
}

/** A load that upsets the kernel is worth knowing of. */
function reportKernelTroubles(host: Host): void {
  for (const line of kernelTroubles(host.console())) say('testbed', `the guest's kernel: ${line}`);
}

async function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds);
  });
}
