/** The commands of `testbed` and their options. */
import { choiceOption, EXIT, runCommandLine } from '@vhostscope/terminal';
import { Command, InvalidArgumentError } from 'commander';
import { KERNELS, type KernelLine } from './kernel-image.js';
import type { HostOptions } from './on-booted-host.js';
import { scenarioCommand } from './scenario-command.js';
import { DPDK_PACKAGES, startDpdk } from './scenarios/dpdk.js';
import { LOAD_OPTIONS, startLoad, type LoadOptions } from './scenarios/load.js';
import { dpdkText, loadText } from './scenarios/result-text.js';
import { shellCommand } from './shell-command.js';
import { readVersion } from './version.js';

interface MachineFlags {
  readonly cpus: '1' | '2';
  readonly kernel: KernelLine;
  readonly preempt: 'voluntary' | 'full';
}

interface ScenarioFlags extends MachineFlags {
  readonly lead: number;
  readonly json?: boolean;
}

interface DpdkFlags extends ScenarioFlags {
  readonly rx?: boolean;
  readonly seconds: number;
  readonly num: number;
  readonly kvmVm?: boolean;
}

/** Runs the command line; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = new Command('testbed')
    .description("Boots a real Linux host in QEMU and runs a load on its vhost's rings.")
    .version(readVersion())
    .option('--debug', 'print a stack trace when something goes wrong')
    .enablePositionalOptions()
    .addHelpText('after', EXAMPLES);

  withScenario(program.command('dpdk'))
    .description("DPDK's testpmd on virtio-user, vhost-net and a TAP device")
    .option('--rx', 'receive what the kernel sends; default: send')
    .option('--seconds <N>', 'length of the traffic', positive, 5)
    .option('--num <N>', 'ring entries', positive, 256)
    .option('--kvm-vm', 'make a KVM VM too: its MMU notifier watches the same memory')
    .action(async (beside: string[], flags: DpdkFlags) => {
      const { rx, seconds, num, kvmVm = false } = flags;
      exitCode = await scenarioCommand({
        name: 'dpdk',
        ...scenarioOf(beside, flags, DPDK_PACKAGES),
        start: async (host) =>
          startDpdk(host, { mode: rx === true ? 'rxonly' : 'txonly', seconds, num, kvmVm }),
        textOf: dpdkText,
      });
    });

  for (const [name, device, description] of LOADS) {
    const command = withScenario(program.command(name)).description(description);
    for (const [option, value, help] of LOAD_OPTIONS)
      command.option(`--${option}${value === undefined ? '' : ` ${value}`}`, help);
    command.action(async (beside: string[], flags: ScenarioFlags) => {
      exitCode = await scenarioCommand({
        name,
        ...scenarioOf(beside, flags),
        start: async (host) => startLoad(host, device, loadOptionsOf(command)),
        textOf: loadText,
      });
    });
  }

  withMachine(program.command('shell'))
    .description('run a command in a fresh host, as root; its output and exit code come out')
    .argument('<command...>', 'one word: a shell command; several: a program and its arguments')
    .addHelpText('after', SHELL_HELP)
    .action(async (words: string[], flags: MachineFlags) => {
      exitCode = await shellCommand(words, machineOf(flags));
    });

  return (await runCommandLine(program, argv)) ?? exitCode;
}

const LOADS = [
  ['load', 'net', 'our own driver of /dev/vhost-net, which disturbs the memory of its rings'],
  ['vsock', 'vsock', 'the same on /dev/vhost-vsock; no guest is needed'],
] as const;

function withMachine(command: Command): Command {
  return (
    command
      // What stands behind the first word of a command is that command's.
      .passThroughOptions()
      .addOption(choiceOption('--cpus <N>', 'CPUs, each a NUMA node', ['1', '2']).default('1'))
      .addOption(
        choiceOption('--kernel <LINE>', "Debian's stock kernel", Object.keys(KERNELS)).default(
          '6.1',
        ),
      )
      .addOption(
        choiceOption('--preempt <MODE>', 'whether the kernel preempts its own code', [
          'voluntary',
          'full',
        ]).default('voluntary'),
      )
  );
}

function withScenario(command: Command): Command {
  return withMachine(command)
    .argument('[command...]', 'to run in the host beside the load; ended by SIGINT after it')
    .option('--lead <N>', 'seconds from the start of that command to the first packet', positive, 5)
    .option('--json', 'print the result as one JSON document');
}

function machineOf({ cpus, kernel, preempt }: MachineFlags): HostOptions {
  return { cpus: cpus === '1' ? 1 : 2, kernel, preempt };
}

function scenarioOf(
  beside: readonly string[],
  flags: ScenarioFlags,
  packages: readonly string[] = [],
): { host: HostOptions; beside: readonly string[]; lead: number; json: boolean } {
  const host = { ...machineOf(flags), packages };
  return { host, beside, lead: flags.lead, json: flags.json === true };
}

/** Values as they were given: the program in the guest judges them. */
function loadOptionsOf(command: Command): LoadOptions {
  const flags = command.opts<Record<string, string | boolean>>();
  return Object.fromEntries(
    LOAD_OPTIONS.flatMap(([name]) => {
      const value = flags[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 86_400)) throw new InvalidArgumentError('Not a positive number.');
  return value;
}

const EXAMPLES = `
Examples:
  testbed load --cpus 2 --kvm-vm --beside 100 --seed 7
  testbed dpdk --kernel 6.12 --json
  testbed load --seconds 3 -- bpftrace -e 'kprobe:vq_meta_prefetch { @rounds = count(); }'
  testbed shell -- 'modprobe vhost_net && ls -l /dev/vhost-net'

Inside, everything is as on this machine, and what is written stays inside; /exchange is gone with the host too.

Exit codes: 0 done, 1 a queue of the load stalled, 2 wrong usage, 3 this machine or the host cannot do it,
130 interrupted; of shell and of a command beside a load: its own.`;

const SHELL_HELP = `
The command has no input. Ctrl-C goes to it; a second one ends the host at once.`;
