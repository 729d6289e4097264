/** The commands of `replay` and their options. What they do is loaded when one of them runs. */
import { ACCESSOR_RULE_SETS, DEFAULT_STORM_RATE, DESIGNS, RING_MEMORY } from '@vhostscope/model';
import {
  choiceArgument,
  choiceOption,
  EXIT,
  runCommandLine,
  versionLine,
} from '@vhostscope/terminal';
import { FORMAT_VERSION } from '@vhostscope/trace';
import { Command, type Option } from 'commander';
import type { CheckOptions } from './check-command.js';
import { examplesOf } from './command-examples.js';
import type { CompareCommandOptions } from './compare-command.js';
import type { CostOptions } from './cost-options.js';
import type { DesignsOptions } from './designs-command.js';
import type { ExplainOptions } from './explain-target.js';
import type { ExportOptions } from './export/export-command.js';
import type { FleetOptions } from './fleet/fleet-command.js';
import { FLEET_HELP, FLEET_WORKER_HELP } from './fleet/fleet-help.js';
import type { FleetWorkerOptions } from './fleet/fleet-worker-command.js';
import { FORMATS } from './export/export-formats.js';
import type { ReplayOptions } from './replay-plan.js';
import type { ReportOptions } from './report/report-command.js';
import { TIME_FORMS } from './time-forms.js';
import type { SchemaName } from './schema-command.js';
import type { SpanOptions } from './time-span.js';
import { readOwnBuild } from './version.js';

interface JsonOption {
  readonly json?: boolean;
}

/** Runs the command line; returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = new Command('replay')
    .description('Replays a trace of vhost through a design of direct-mapped ring metadata.')
    .version(versionLine(readOwnBuild(), FORMAT_VERSION))
    .option('--debug', 'print a stack trace when something goes wrong')
    .addHelpText('after', EXAMPLES);

  withCostOptions(withSpanOptions(withReplayOptions(program.command('run'))))
    .description('what every metadata access would have become: direct map, fallback, or not known')
    .option('--hazards', 'count hazards too, which takes longer; replay hazards proves them')
    .addHelpText('after', examplesOf('run'))
    .action(
      async (trace: string, options: ReplayOptions & SpanOptions & CostOptions & JsonOption) => {
        const { runCommand } = await import('./run-command.js');
        exitCode = await runCommand(trace, options);
      },
    );

  withSpanOptions(withReplayOptions(program.command('verify')))
    .description('whether the design decides as the traced kernel did; exit 1 when it does not')
    .addHelpText('after', examplesOf('verify'))
    .action(async (trace: string, options: ReplayOptions & SpanOptions & JsonOption) => {
      const { verifyCommand } = await import('./verify-command.js');
      exitCode = await verifyCommand(trace, options);
    });

  withReplayOptions(program.command('explain'))
    .description('the state of a virtqueue around an event: maps, invalidate_count, and why')
    .option('--access <n>', 'the n-th access in time order, from 1; no default: this, or --at')
    .option(
      '--at <time>',
      `the last event of a virtqueue at this moment or before: ${TIME_FORMS}; no default: this, or --access`,
    )
    .option('--vq <id>', 'only events of this virtqueue count; default: all')
    .option('--storm-rate <n>', STORM_RATE)
    .addHelpText('after', examplesOf('explain'))
    .action(async (trace: string, options: ReplayOptions & ExplainOptions & JsonOption) => {
      const { explainCommand } = await import('./explain-command.js');
      exitCode = await explainCommand(trace, options);
    });

  withSpanOptions(withCheckOptions(program.command('check')))
    .description('whether the recorded accesses are ones that a kernel can make; exit 1 when not')
    .action(async (trace: string, options: CheckOptions & SpanOptions & JsonOption) => {
      const { checkCommand } = await import('./check-command.js');
      exitCode = await checkCommand(trace, options);
    });

  withCostOptions(withSpanOptions(withReplayOptions(program.command('storms'))))
    .description('when invalidations came as a storm: who made them, why, and what that cost')
    .addHelpText('after', `${OVER_A_RING}\n${examplesOf('storms')}`)
    .action(
      async (trace: string, options: ReplayOptions & SpanOptions & CostOptions & JsonOption) => {
        const { stormsCommand } = await import('./storms-command.js');
        exitCode = await stormsCommand(trace, options);
      },
    );

  withSpanOptions(withReplayOptions(program.command('hazards')))
    .description('where the design would have gone wrong, with the events that prove it')
    .addHelpText('after', `${HAZARDS_HELP}\n${examplesOf('hazards')}`)
    .action(async (trace: string, options: ReplayOptions & SpanOptions & JsonOption) => {
      const { hazardsCommand } = await import('./hazards-command.js');
      exitCode = await hazardsCommand(trace, options);
    });

  withReplayOptions(program.command('export'))
    .description('every event with its decision, for other tools: NDJSON, Parquet, Perfetto')
    .requiredOption('-o, --output <file>', 'file to write; - is standard output')
    .addOption(
      choiceOption('--format <format>', 'default: what the name of the output ends in', FORMATS),
    )
    .option(
      '--anonymise',
      'numbers instead of names and ids of processes, addresses moved, times from the first event, nothing of host and ' +
        'files; below stands what is left',
    )
    .addHelpText('after', `${EXPORT_HELP}\n${examplesOf('export')}`)
    .action(async (trace: string, options: ReplayOptions & ExportOptions & JsonOption) => {
      const { exportCommand } = await import('./export/export-command.js');
      exitCode = await exportCommand(trace, options);
    });

  withCostOptions(withSpanOptions(withCompareOptions(program.command('compare'))))
    .description('many designs on the same traces in one pass, and traces against a baseline')
    .addHelpText('after', examplesOf('compare'))
    .action(async (traces: string[], options: CompareCommandOptions) => {
      const { compareCommand } = await import('./compare-command.js');
      exitCode = await compareCommand(traces, options);
    });

  withCostOptions(withFleetOptions(program.command('fleet')))
    .description('many traces at once, of folders or files: what they come to, by run and over all')
    .addHelpText('after', FLEET_HELP)
    .action(async (paths: string[], options: FleetOptions) => {
      const { fleetCommand } = await import('./fleet/fleet-command.js');
      exitCode = await fleetCommand(paths, options);
    });

  program
    .command('fleet-worker')
    .description('replays runs that replay fleet --share shares out, until it is interrupted')
    .argument('<url>', 'the server: nats://host[:port][/prefix]')
    .option(
      '--workers <n>',
      'processes, each of which has one trace open at a time; default: as many as there are CPUs',
    )
    .addHelpText('after', FLEET_WORKER_HELP)
    .action(async (url: string, options: FleetWorkerOptions) => {
      const { fleetWorkerCommand } = await import('./fleet/fleet-worker-command.js');
      exitCode = await fleetWorkerCommand(url, options);
    });

  program
    .command('designs')
    .description('the designs: switches, sources, published rates')
    .addHelpText('after', examplesOf('designs'))
    .argument('[name]', 'one of them, or several: a,b,c')
    .option('--design-file <file>', 'rows of your own, too; default: none')
    .option('--json', 'print one JSON document')
    .action(async (name: string | undefined, options: DesignsOptions) => {
      const { designsCommand } = await import('./designs-command.js');
      exitCode = await designsCommand(name, options);
    });

  withCostOptions(
    withSpanOptions(
      withReplayOptions(
        program.command('report'),
        'print the data of the report as one JSON document',
      ),
    ),
  )
    .description('one HTML page with what the trace shows, over time; it needs no network')
    .addHelpText('after', examplesOf('report'))
    .option(
      '-o, --output <file>',
      'file to write the page to; - is standard output; no default, but for --json',
    )
    .action(
      async (trace: string, options: ReplayOptions & SpanOptions & CostOptions & ReportOptions) => {
        const { reportCommand } = await import('./report/report-command.js');
        exitCode = await reportCommand(trace, options);
      },
    );

  withTrace(program.command('info'))
    .description('what a trace holds: where it comes from, events, virtqueues, losses')
    .addHelpText('after', examplesOf('info'))
    .action(async (trace: string, options: JsonOption & { strict?: boolean }) => {
      const { infoCommand } = await import('./info-command.js');
      exitCode = await infoCommand(trace, options);
    });

  program
    .command('schema')
    .description(
      'the JSON Schema of what a command prints with --json (export: of what it says of the file that it wrote), ' +
        'or of a line of export --format ndjson (ndjson)',
    )
    .addHelpText('after', examplesOf('schema'))
    .addArgument(
      choiceArgument('<command>', 'command, or ndjson', [
        'run',
        'verify',
        'explain',
        'check',
        'storms',
        'hazards',
        'compare',
        'fleet',
        'designs',
        'export',
        'ndjson',
        'report',
        'info',
      ]),
    )
    .action(async (name: SchemaName) => {
      const { schemaCommand } = await import('./schema-command.js');
      exitCode = await schemaCommand(name);
    });

  return (await runCommandLine(program, argv)) ?? exitCode;
}

function withTrace(command: Command, json = 'print one JSON document'): Command {
  return command
    .argument(
      '<trace>',
      'trace file (.arrows), or text of bpftrace, perf script, ftrace or trace-cmd report; gzip or plain; - is stdin; nats://host[/prefix][/HOST/RUN] is a run on a server',
    )
    .option('--strict', 'exit 1 when the trace is damaged or known to be incomplete')
    .option('--json', json);
}

function withReplayOptions(command: Command, json?: string): Command {
  const designs = DESIGNS.map(({ name }) => name).join(', ');
  return withPlatformOptions(withTrace(command, json))
    .option(
      '--design <name>',
      `design to replay: ${designs} (replay designs tells what they are); default: that of --design-file, else merged`,
    )
    .option('--design-file <file>', 'a row of switches of your own, as JSON; default: none')
    .addOption(
      choiceOption(
        '--order <order>',
        'when callbacks take effect: as recorded (effects), at an unknown moment after they are entered (ranges), ' +
          'or effects where the whole trace has them (auto)',
        ['auto', 'effects', 'ranges'],
      ).default('auto'),
    )
    .addOption(preemptOption())
    .option(
      '--use-observations',
      'in ranges order, let the recorded attempts to map (P) tell which maps there were; only for the design ' +
        'that the recording kernel ran',
    );
}

function withSpanOptions(command: Command): Command {
  return command
    .option(
      '--from <time>',
      `count from this moment on: ${TIME_FORMS}; default: from the first event`,
    )
    .option('--to <time>', 'count up to this moment, likewise; default: to the last event')
    .option('--storm-rate <n>', STORM_RATE);
}

const STORM_RATE = `a storm is as many ranges over the rings of a device in a second, or more (default: ${DEFAULT_STORM_RATE})`;

function withCostOptions(command: Command): Command {
  return command
    .addOption(
      choiceOption(
        '--smap <mode>',
        "whose published packet rates: those with the CPU's SMAP on or off; default: what the trace says, else both",
        ['on', 'off'],
      ),
    )
    .option(
      '--calibrate <before,after>',
      'your own two rates, in millions of packets per second: every access copied, every access mapped; ' +
        'default: those that were published',
    );
}

function preemptOption(): Option {
  return choiceOption(
    '--preempt <mode>',
    'preemption of the recording kernel, for --order ranges; default: what the trace says',
    ['voluntary', 'full', 'unknown'],
  );
}

/** What a design may be switched off by. */
function withPlatformOptions(command: Command): Command {
  return command
    .option('--arch <name>', 'architecture to run the design on; default: what the trace says')
    .option('--page-size <bytes>', 'of the host that runs the design: 4k, 16k or 64k; default: 4k')
    .option('--highmem', 'rings lie in high memory (32-bit kernels)')
    .option('--iotlb', 'the device IOTLB is on (VIRTIO_F_ACCESS_PLATFORM)')
    .addOption(
      choiceOption(
        '--ring-memory <kind>',
        'what the rings lie in, for designs that ask; default: not known',
        RING_MEMORY,
      ),
    );
}

function withCompareOptions(command: Command): Command {
  return withPlatformOptions(
    command
      .argument(
        '<traces...>',
        'trace files, or text of bpftrace, perf script, ftrace or trace-cmd report; - is stdin; nats://… is a run on a server',
      )
      .option('--designs <names>', 'which: a,b,c, or all', 'all')
      .option('--design-file <file>', 'rows of switches of your own, as JSON; default: none')
      .option('--baseline <trace>', 'a trace to hold the others against; default: none')
      .option(
        '--fail-if-worse <percent>',
        'exit 1 unless no hit ratio of a design can be lower than in the baseline by more percentage points, with or without ' +
          'the sign: 0.5 is 0.5%; default: however much',
      )
      .option('--strict', 'exit 1 when a trace is damaged or known to be incomplete')
      .option('--json', 'print one JSON document'),
  ).addOption(preemptOption());
}

function withFleetOptions(command: Command): Command {
  return withPlatformOptions(
    command
      .argument(
        '<paths...>',
        'folders, which are gone through to their depths, and files: traces as replay run takes them',
      )
      .option(
        '--design <names>',
        'which designs: a,b,c, or all; storms and the worst virtqueues go by the first; ' +
          'default: that of --design-file, else merged',
      )
      .option('--design-file <file>', 'rows of switches of your own, as JSON; default: none')
      .option(
        '--workers <n>',
        'processes, each of which has one trace open at a time; default: as many as there are CPUs',
      )
      .option(
        '--share',
        'the runs of one server: let the machines on which replay fleet-worker runs replay them',
      )
      .option(
        '--share-wait <time>',
        'with --share: give up what is left when nothing was answered for so long (default: 10m)',
      )
      .option('--storm-rate <n>', STORM_RATE)
      .option(
        '--strict',
        'exit 1 when a trace that was read is damaged or known to be incomplete; one that cannot be read is 2 anyway',
      )
      .option('--json', 'print one JSON document')
      .option('--openmetrics', 'print the figures as OpenMetrics text')
      .option('--report <file>', 'write them as one HTML page, too; default: none'),
  ).addOption(preemptOption());
}

function withCheckOptions(command: Command): Command {
  const kernels = ACCESSOR_RULE_SETS.map(({ name, title }) => `${name} (${title})`).join('; ');
  return withTrace(command)
    .option('--kernel <name>', `rules of the recorded kernel: ${kernels}`, '6.1')
    .addOption(
      choiceOption(
        '--handlers <name>',
        'whose accesses: vhost-net without busy polling and zero-copy transmission (net: its rx or tx), or any caller',
        ['net', 'net_rx', 'net_tx', 'any'],
      ).default('net'),
    )
    .option(
      '--chain-length <n>',
      'descriptors of a chain in the descriptor table: at most n; any; or auto, which takes chains for unusual ' +
        'that are not as long as 255 of 256 of their virtqueue (an assumption: the rules allow them)',
      'auto',
    )
    .option('--failures', 'let any copy from or to a ring fail')
    .addHelpText('after', `${CHECK_HELP}\n${examplesOf('check')}`);
}

const CHECK_HELP = `
Finds losses that nobody reported: vhost's functions access the rings in a fixed order, and an access
that is missing, doubled or out of place leaves one that no kernel with these rules can make.`;

const OVER_A_RING = `
A range is over a ring by the kernel's own test, which takes the end of a range as inclusive: one that ends
where an area of the ring begins is over it, too.`;

const HAZARDS_HELP = `${OVER_A_RING}

proven    by the events that are listed
possible  the events leave it open
counted   what the design does each time: how often, without the events

In ranges order, and where accesses or attempts to map are ambiguous, there may be more of each than is told.`;

const EXPORT_HELP = `
ndjson    a line per event (.ndjson, .jsonl); for jq and scripts
parquet   a row per event (.parquet); for DuckDB, pandas, Spark
perfetto  maps, rounds, invalidations, storms and rates over time (.pftrace); for ui.perfetto.dev

--anonymise keeps what the figures are made of, and so a host may still be known by it: when and
how often things happen, numbers of CPUs, virtqueues and ring entries, how far addresses of one
process are apart, names of functions on kernel stacks, the name of the design. Each time addresses
are moved by another distance. docs/security.md says more.

--json prints what was written, once it is.`;

const EXAMPLES = `
Examples:
  replay run trace.arrows                        the summary
  replay run --design fixes-v5 --json trace.txt  another design, for a program
  replay verify trace.txt.gz                     does the model agree with the kernel?
  replay explain --access 1000 trace.arrows      why did that access come out so?
  replay storms trace.arrows                     invalidation storms, their causes and their price
  replay run --from storm:1 trace.arrows         from where one of them begins
  replay check trace.arrows                      can a kernel have made these accesses?
  replay compare trace.arrows                    what would each of the designs have done?
  replay fleet traces/                           many hosts and runs, summed up
  replay export -o trace.pftrace trace.arrows    see it in ui.perfetto.dev
  replay report -o report.html trace.arrows      all of it as a page for a browser
  zcat trace.txt.gz | replay run -               from a pipe
  replay run nats://host/HOST/RUN                a run on a server (collector fleet status lists them)

Exit codes: 0 done, 1 the answer is no, 2 wrong usage or unusable input, 130 interrupted.`;
