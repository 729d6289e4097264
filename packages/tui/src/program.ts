/** The command line of `tui`. What it does is loaded when it runs. */
import { DEFAULT_STORM_RATE, DESIGNS } from '@vhostscope/model';
import { choiceOption, EXIT, runCommandLine, versionLine } from '@vhostscope/terminal';
import { FORMAT_VERSION } from '@vhostscope/trace';
import { Command } from 'commander';
import {
  parseKeep,
  parseSpeed,
  parseStormRate,
  parseWindow,
  type DashboardOptions,
} from './dashboard-options.js';
import { DEFAULT_SOCKET } from './default-socket.js';
import { readOwnBuild } from './version.js';

/** Runs the command line; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = new Command('tui')
    .description(
      'A dashboard in the terminal: hit ratios and storms of invalidations, live or of a trace.',
    )
    .version(versionLine(readOwnBuild(), FORMAT_VERSION))
    .argument(
      '[source]',
      'trace file (.arrows), text of bpftrace, perf script, ftrace or trace-cmd report, gzip or plain, a socket of collector attach, ' +
        `a nats:// URL as --from takes it, or - for standard input; default: the socket ${DEFAULT_SOCKET}, where collector attach --socket made it`,
    )
    .option('--follow', 'the file is still being written: show what comes')
    .option(
      '--socket <path>',
      'a socket of collector attach; waits for it where nobody listens yet',
    )
    .option(
      '--from <url>',
      'what collector attach --publish sends to a server: a run, nats://host[:port][/prefix]/HOST/RUN; without RUN that host alone, and without both all hosts, a row each',
    )
    .option(
      '--design <name>',
      `design to see the trace through: ${DESIGNS.map(({ name }) => name).join(', ')}; default: that of --design-file, else merged`,
    )
    .option('--beside <name>', 'a second design, side by side')
    .option('--design-file <file>', 'rows of switches of your own, as JSON')
    .addOption(
      choiceOption(
        '--preempt <mode>',
        'preemption of the recording kernel; default: what the trace says',
        ['voluntary', 'full', 'unknown'],
      ),
    )
    .addOption(
      choiceOption(
        '--smap <mode>',
        "whose published packet rates: those with the CPU's SMAP on or off; default: what the trace says, else both",
        ['on', 'off'],
      ),
    )
    .option(
      '--calibrate <before,after>',
      'your own two rates, in millions of packets per second: every access copied, every access mapped',
    )
    .option(
      '--speed <times>',
      'play a finished trace from its start: 0.1 to 1000, or max; default: it opens at its end, paused',
      parseSpeed,
    )
    .option('--window <time>', 'how long "now" is (default: 10s)', parseWindow)
    .option(
      '--keep <size>',
      'how much of a live stream, from its beginning on, is kept on disk to go back to (default: 2G)',
      parseKeep,
    )
    .option(
      '--storm-rate <n>',
      `a storm is as many ranges over the rings of a device in a second, or more (default: ${DEFAULT_STORM_RATE})`,
      parseStormRate,
    )
    .option('--json', 'print a line of JSON a second instead')
    .option(
      '--schema',
      'print the JSON Schema of these lines (with --from nats://host, of those of many hosts)',
    )
    .option(
      '--debug',
      'print a stack trace when something goes wrong, and at the end what drawing cost',
    )
    .addHelpText('after', HELP)
    .action(async (source: string | undefined, options: DashboardOptions) => {
      const { dashboardCommand } = await import('./dashboard-command.js');
      exitCode = await dashboardCommand(source, options);
    });
  return (await runCommandLine(program, argv)) ?? exitCode;
}

const HELP = `
On the screen ? tells the keys. Where standard output is no terminal, or one that takes lines only (TERM=dumb), it
prints a line of text a second (of a finished trace without --speed, one line for all of it).

Of a server without a run it shows the hosts that have one under way, or one that ended within the last hour, the
worst first, 32 at most; Enter opens the run of one, Esc comes back. Printed, it goes on until it is interrupted.

Examples:
  collector attach --tui                   record this host, and watch it in this terminal
  tui                                      the recording that collector attach --socket ${DEFAULT_SOCKET} serves
  tui trace.arrows                         a finished trace; Space plays it
  tui trace.arrows --speed 10 --beside copy
  tui --follow host.arrows                 a trace that is still being written
  zcat trace.txt.gz | tui -                from a pipe; the keys come from the terminal
  ssh host collector attach -o - | tui -   another host
  tui --from nats://hub                    all hosts that publish to a server
  tui --from nats://hub/HOST/RUN           a run on a server, live or over

Exit codes: 0 done, 2 wrong usage or a source that cannot be read, or not to its end where it is printed,
130 interrupted.`;
