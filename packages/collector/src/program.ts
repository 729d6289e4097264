/** The commands of `collector` and their options. What they do is loaded when one of them runs. */
import {
  choiceArgument,
  choiceOption,
  EXIT,
  runCommandLine,
  versionLine,
} from '@vhostscope/terminal';
import { FORMAT_VERSION } from '@vhostscope/trace';
import { Command, type Option } from 'commander';
import type { AttachFlags, AttachOptions } from './attach/attach-options.js';
import { parseNiceness } from './attach/niceness.js';
import { parseBufferSize } from './attach/parse-buffer-size.js';
import { parseDuration } from './attach/parse-duration.js';
import { parseListenAddress } from './attach/parse-listen-address.js';
import type { RecordedHost } from './attach/recorded-host.js';
import type { DoctorOptions } from './doctor/doctor-command.js';
import type { ImportOptions } from './import-command.js';
import type { MergeFlags } from './merge-command.js';
import { PERF_BUFFER_MIB } from './perf-recording/perf-command.js';
import { RECORDERS } from './plan-recording.js';
import { fleetCommand } from './fleet/fleet-program.js';
import { PUBLISH_HELP, withPublishOptions } from './fleet/publish-flags.js';
import { DETAILS } from './probe-plan/detail.js';
import type { ProbesOptions } from './probe-plan/probes-command.js';
import { BUFFER_MIB } from './recording-program/bpftrace-dialects.js';
import { checkRecorderFlags } from './recorder-flags.js';
import { SCHEMA_NAMES, type SchemaName } from './schema-names.js';
import { readOwnBuild } from './version.js';

/**
 * Runs the command line; returns the exit code.
 *
 * @param host what `attach` records, where it is not this machine
 */
export async function main(argv: readonly string[], host?: RecordedHost): Promise<number> {
  let exitCode: number = EXIT.done;
  const program = new Command('collector')
    .description('Records vhost on a host, and turns recordings into trace files.')
    .version(versionLine(readOwnBuild(), FORMAT_VERSION))
    .option('--debug', 'print a stack trace when something goes wrong')
    .addHelpText('after', EXAMPLES);

  withPublishOptions(program.command('attach'))
    .description('record vhost on this host until Ctrl-C')
    .option(
      '-o, --output <trace>',
      'trace file to write, - for standard output; default: vhost.arrows in this folder, or none with --socket or --publish',
    )
    .option(
      '--socket <path>',
      'serve the trace on a Unix socket too: every reader gets a trace that begins when it connects; default: no socket',
    )
    .option(
      '--metrics <[address:]port>',
      'tell metrics of the recording by HTTP (OpenMetrics, at /metrics), on 127.0.0.1 unless another address is named; default: nobody is told',
      parseListenAddress,
    )
    .option(
      '--tui',
      'show the recording on a dashboard in this terminal; leaving it ends the recording',
    )
    .option(
      '--force',
      'write over the default output when it exists (a named one is always written over)',
    )
    .option(
      '--duration <time>',
      'end by itself after a time, such as 90, 30s or 10m, from when the probes are attached; default: at Ctrl-C',
      parseDuration,
    )
    .addOption(choiceOption('--detail <level>', 'how much to record', DETAILS).default('rounds'))
    .option(
      '--keep-pointers',
      'keep kernel addresses in the trace; they tell where the kernel lies in memory (KASLR)',
    )
    .option('--strict', 'exit 1 when events are known to be lost')
    .option('--dry-run', 'print the bpftrace program, or the probes of perf, and record nothing')
    .addOption(recorderOption('what records'))
    .option(
      '--buffer <MiB>',
      `memory for what bpftrace or perf has not read yet; default: ${BUFFER_MIB['each CPU']} for each CPU up to bpftrace 0.18, ${BUFFER_MIB['all CPUs']} for all since; ${PERF_BUFFER_MIB} for each CPU with perf`,
      parseBufferSize,
    )
    .option(
      '--nice <0..19>',
      'nice value of the recorder once it records: with 19 a load that needs all CPUs keeps them, and lines may be lost; default: as it was started',
      parseNiceness,
    )
    .option(
      '--user <name>',
      'give up root for that user once the probes are attached; all that is written is written as that user, and with bpftrace only; default: root is kept',
    )
    .option('--bpftrace <program>', 'bpftrace to use', 'bpftrace')
    .option('--perf <program>', 'perf to use', 'perf')
    .option('--json', 'print what was done as one JSON document')
    .addHelpText('after', ATTACH_HELP)
    .action(async (flags: AttachFlags, command: Command) => {
      checkRecorderFlags(command);
      const { attachCommand } = await import('./attach/attach-command.js');
      const { thisHost } = await import('./attach/this-host.js');
      exitCode = await attachCommand(withDefaults(flags), host ?? thisHost(flags));
    });

  withPublishOptions(program.command('import'))
    .description('make a trace file from what bpftrace, perf or ftrace recorded')
    .argument(
      '<file...>',
      'what bpftrace (text or JSON), perf script, ftrace or trace-cmd report printed; gzip or plain; - is stdin; each is a recording of its own',
    )
    .option(
      '-o, --output <trace>',
      'trace file to write, - for standard output; default: the name of the first file, with .arrows, in this folder, or none with --publish',
    )
    .option(
      '--force',
      'write over the default output when it exists (a named one is always written over)',
    )
    .option(
      '--keep-pointers',
      'keep kernel addresses in the trace; they tell where the kernel lies in memory (KASLR)',
    )
    .option(
      '--merge',
      'make one recording of several, in the order of time; trace files are taken, too',
    )
    .option(
      '--offset <file=time>',
      'with --merge: what is to be added to the times of a file, such as a.txt=+1.5ms; 0 says that its clock is that of the others; default: nothing is said of its clock',
      oneMore,
    )
    .option('--different-hosts', 'with --merge: each file is of a host of its own')
    .option('--strict', 'exit 1 when lines could not be read or events were lost')
    .option('--json', 'print what was done as one JSON document')
    .addHelpText('after', IMPORT_HELP)
    .action(async (files: string[], options: ImportOptions & MergeFlags) => {
      if (
        options.merge === true ||
        options.differentHosts === true ||
        options.offset !== undefined
      ) {
        const { mergeCommand } = await import('./merge-command.js');
        exitCode = await mergeCommand(files, options);
        return;
      }
      const { importCommand } = await import('./import-command.js');
      exitCode = await importCommand(files, options);
    });

  program
    .command('doctor')
    .description('can this host be recorded live, and what should be changed?')
    .addHelpText('after', DOCTOR_HELP)
    .addOption(recorderOption('what would record'))
    .option('--bpftrace <program>', 'bpftrace to use', 'bpftrace')
    .option('--json', 'print the findings as one JSON document')
    .action(async (options: DoctorOptions, command: Command) => {
      checkRecorderFlags(command);
      const { doctorCommand } = await import('./doctor/doctor-command.js');
      const { hostSources } = await import('./host/host-sources.js');
      exitCode = await doctorCommand(options, hostSources());
    });

  program
    .command('probes')
    .description('what a live recording of this host would see, by which probes, and how surely')
    .addHelpText('after', PROBES_HELP)
    .addOption(choiceOption('--detail <level>', 'how much to record', DETAILS).default('rounds'))
    .addOption(recorderOption('what would record'))
    .option('--program', 'print the bpftrace program, or the probes of perf, instead')
    .option('--perf', 'print the probes of a recording with perf: --with perf --program')
    .option('--bpftrace <program>', 'bpftrace to use', 'bpftrace')
    .option('--json', 'print plan and program as one JSON document')
    .action(async (options: ProbesOptions, command: Command) => {
      checkRecorderFlags(command);
      const { probesCommand } = await import('./probe-plan/probes-command.js');
      const { hostSources } = await import('./host/host-sources.js');
      exitCode = await probesCommand(options, hostSources());
    });

  program.addCommand(
    fleetCommand((code) => {
      exitCode = code;
    }),
  );

  program
    .command('schema')
    .description('the JSON Schema of what a command prints with --json')
    .addHelpText('after', SCHEMA_HELP)
    .addArgument(choiceArgument('<command>', 'command', SCHEMA_NAMES))
    .action(async (name: SchemaName) => {
      const { schemaCommand } = await import('./schema-command.js');
      exitCode = await schemaCommand(name);
    });

  return (await runCommandLine(program, argv)) ?? exitCode;
}

/** Of an option that may be given several times. */
function oneMore(text: string, before?: readonly string[]): readonly string[] {
  return [...(before ?? []), text];
}

function recorderOption(what: string): Option {
  return choiceOption('--with <recorder>', what, RECORDERS).default('bpftrace');
}

function withDefaults(flags: AttachFlags): AttachOptions {
  const overwrite = flags.output !== undefined || flags.force === true;
  const isDefault = (flags.output ?? flags.socket ?? flags.publish) === undefined;
  return { ...flags, ...(isDefault && { output: 'vhost.arrows' }), overwrite };
}

const EXAMPLES = `
Examples:
  collector doctor                              what this host lacks, if anything
  collector attach --duration 30s -o host.arrows
  collector attach -o - | replay run -
  collector import run.txt.gz                   writes run.arrows
  bpftrace probes.bt | collector import - -o live.arrows

Exit codes: 0 done, 1 with --strict: not all could be read or recorded; or the recorder ended by itself,
or could not be read any more, 2 wrong usage, unusable input or output, 3 this host cannot be recorded,
130 interrupted after what had arrived was saved.`;

const ATTACH_HELP = `
How much to record:
  rounds    nothing runs per packet: a round is told by the ring before and after it, and what it
            accessed follows by rule
  calls     accesses are counted in the kernel, and told at the ends of rounds
  accesses  one event each, for short recordings; replay check can hold their order against the kernel's

--with perf is for hosts without bpftrace; it records rounds, and no other level.

Ctrl-C, SIGTERM or SIGHUP end the recording once what is under way has arrived; a second one leaves at
once. The trace says how it ended, and whether it is complete.
${PUBLISH_HELP}

Exit codes: 0 done, also where Ctrl-C ends what had no --duration, 1 the recorder ended by itself, or could not be read
any more, or with --strict: events were lost, or are not all on the server, 2 wrong usage or unusable output, 3 this host
cannot be recorded, 130 interrupted before the probes were attached, before --duration was over, or by a second Ctrl-C.

Examples:
  collector attach                              records into vhost.arrows until Ctrl-C
  collector attach --dry-run                    the program that bpftrace would run; records nothing
  collector attach --duration 30s --detail calls -o host.arrows
  collector attach --tui                        and shows it meanwhile
  sudo collector attach --user "$USER"          root only until the probes are attached
  collector attach --socket /run/vhostscope.sock
  collector attach --publish nats://lab:4222
  collector attach -o - | replay run -
  collector attach --metrics 9435               curl http://127.0.0.1:9435/metrics meanwhile`;

const IMPORT_HELP = `
Examples:
  collector import run.txt.gz                   writes run.arrows
  collector import monday.txt tuesday.txt -o week.arrows
  collector import run.txt.gz --publish nats://lab:4222 --publish-as host7
  collector import --merge accesses.txt perf.txt --offset perf.txt=0 -o host.arrows
  collector import --merge --different-hosts a.arrows b.arrows --offset b.arrows=-1.5s -o both.arrows
  bpftrace probes.bt | collector import - -o live.arrows
  bpftrace probes.bt | collector import - -o - | tui -
  perf script --header --ns --show-lost-events -F comm,pid,tid,cpu,time,event,trace | collector import -

Merged files of one host tell of the same virtqueues where their kernel addresses are the same. What two of them tell of
one kind, virtqueue (device, process) and CPU is taken from the one that is named first. Files that share no
ring are merged, for each may tell of a device of its own; those that share no moment too, and that is said. What lies
between two that follow one another nobody recorded, and what comes behind is judged as if nothing had happened there:
judge such recordings apart.

The output appears within half a second of its first event: an import that finds none leaves nothing behind, and what
was there before as it was.
${PUBLISH_HELP}`;

const DOCTOR_HELP = `
Examples:
  collector doctor                              exit 3 when this host cannot be recorded
  collector doctor --with perf                  where there is no bpftrace
  collector doctor --json                       for a program`;

const PROBES_HELP = `
Examples:
  collector probes                              what would be seen, and how surely
  collector probes --detail accesses            at another level of detail
  collector probes --program                    the program that bpftrace would run`;

const SCHEMA_HELP = `
Examples:
  collector schema attach                       of what collector attach --json prints`;
