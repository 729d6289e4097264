/** How perf is to be started, and of which version it must be. Data: what it does is `attach/perf-process.ts`. */
import type { RecorderPrivileges } from '../privileges/recorder-privileges.js';
import {
  definitionLine,
  eventName,
  PLAIN_NAMES,
  type ProbeDefinition,
  type ProbeNames,
} from './probe-definitions.js';

/** The first that can be told to hand over what it has recorded, and not to look at the memory of all processes. */
export const OLDEST_PERF = '5.16';

export const TESTED_PERF = '6.1';

/** MiB for what perf has not read yet, of each CPU. */
export const PERF_BUFFER_MIB = 2;

/** How perf is to be started. */
export interface PerfCommand {
  readonly recorder: 'perf';
  readonly path: string;
  readonly tracefs: string;
  readonly definitions: readonly ProbeDefinition[];
  /** Where the mutex of a virtqueue lies in it. */
  readonly mutexOffset: number;
  readonly bufferMiB: number;
  readonly privileges: RecorderPrivileges;
  /** All of it, for people. */
  readonly program: string;
}

export function isOlderPerf(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_PERF.split('.').map(Number);
  return major < oldestMajor || (major === oldestMajor && minor < oldestMinor);
}

/** A software event of perf's own that every CPU tells, whatever else happens. */
export const HEARTBEAT = 'heartbeat';
const HEARTBEAT_NS = 100_000_000;

/** @param control file descriptor on which it is told to hand over; -1 for none */
export function recordArguments(
  { definitions, bufferMiB }: Pick<PerfCommand, 'definitions' | 'bufferMiB'>,
  names: ProbeNames,
  control = -1,
): string[] {
  const events = definitions.map((definition, index) => {
    const event = `${names.group}:${eventName(definition, index, names)}`;
    return definition.keepsStack === true ? `${event}/call-graph=fp/` : event;
  });
  return [
    'record',
    '-o',
    '-',
    '-a',
    // The nearest to CLOCK_BOOTTIME that it can give to events of probes.
    '-k',
    'CLOCK_MONOTONIC',
    '-m',
    `${bufferMiB}M`,
    '--kernel-callchains',
    '--synth=task',
    '-B',
    '-N',
    ...(control < 0 ? [] : ['--control', `fd:${control}`]),
    // Last: a CPU that tells one has all others.
    ...[...events, `cpu-clock/period=${HEARTBEAT_NS},name=${HEARTBEAT}/`].flatMap((event) => [
      '-e',
      event,
    ]),
  ];
}

/** Heartbeats come from programs too: their addresses are not looked up. */
export const SCRIPT_ARGUMENTS: readonly string[] = [
  'script',
  '-i',
  '-',
  '--ns',
  '--show-lost-events',
  '-F',
  'sw:comm,pid,tid,cpu,time,event',
  '-F',
  'trace:comm,pid,tid,cpu,time,event,trace,ip,sym',
];

/** What `collector probes --perf` and `--dry-run` print: it can be run by hand. */
export function perfProgram(
  definitions: readonly ProbeDefinition[],
  tracefs: string,
  bufferMiB: number,
): string {
  const quoted = (words: readonly string[]): string =>
    words.map((word) => (/^[\w./,=:-]+$/.test(word) ? word : `'${word}'`)).join(' ');
  const record = recordArguments({ definitions, bufferMiB }, PLAIN_NAMES);
  return [
    `# Probes, each a line to be appended to ${tracefs}/kprobe_events`,
    ...definitions.map((definition, index) => definitionLine(definition, index, PLAIN_NAMES)),
    '',
    '# Recorded and printed by',
    `# perf ${quoted(record)} | perf ${quoted(SCRIPT_ARGUMENTS)}`,
    '',
  ].join('\n');
}
