/** The commands of `testbed` and their options. */
import { EXIT, runCommandLine } from '@vhostscope/terminal';
import { Command, Option } from 'commander';
import { KERNELS, type KernelLine } from './kernel-image.js';
import { shellCommand } from './shell-command.js';
import { readVersion } from './version.js';

interface MachineFlags {
  readonly cpus: '1' | '2';
  readonly kernel: KernelLine;
  readonly preempt: 'voluntary' | 'full';
}

/** Runs the command line; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = new Command('testbed')
    .description('Boots a real Linux host in QEMU and runs a load on its vhost.')
    .version(readVersion())
    .option('--debug', 'print a stack trace when something goes wrong');

  withMachine(program.command('shell'))
    .description('run a command in a fresh host, as root; its output and exit code come out')
    .argument('<command...>', 'one word: a shell command; several: a program and its arguments')
    .action(async (words: string[], flags: MachineFlags) => {
      exitCode = await shellCommand(words, machineOf(flags));
    });

  return (await runCommandLine(program, argv)) ?? exitCode;
}

function withMachine(command: Command): Command {
  return command
    .addOption(new Option('--cpus <n>', 'CPUs, each a NUMA node').choices(['1', '2']).default('1'))
    .addOption(
      new Option('--kernel <line>', "Debian's stock kernel")
        .choices(Object.keys(KERNELS))
        .default('6.1'),
    )
    .addOption(
      new Option('--preempt <mode>', 'whether the kernel preempts its own code')
        .choices(['voluntary', 'full'])
        .default('voluntary'),
    );
}

function machineOf({ cpus, kernel, preempt }: MachineFlags): {
  cpus: 1 | 2;
  kernel: KernelLine;
  preempt: 'voluntary' | 'full';
} {
  return { cpus: cpus === '1' ? 1 : 2, kernel, preempt };
}
