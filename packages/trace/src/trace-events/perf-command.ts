/**
 * What a command line of `perf record` leaves out, as the header of perf script tells it. Words are told apart as perf
 * does (tools/lib/subcmd/parse-options.c): options end at the first word that is neither an option nor the argument of
 * one, or behind `--`. That word begins a command, whose own options are none of perf's.
 *
 * The header joins words with blanks and quotes nothing, so that an argument with a blank in it looks like several: the
 * second then seems to begin a command.
 */

/** What of the host's events is not in the recording. */
export interface LeftOut {
  /** Why some are missing; undefined where nothing says so. */
  readonly missing?: string;
  /** Why nobody knows whether some are. */
  readonly unknown?: string;
}

/** Longer before the options than a thread's name can be. Before `record` stands how perf was called. */
const COMMAND = /^# cmdline : \S.*? record(?: (.*))?$/;

/** Options of `perf record` (tools/perf/builtin-record.c, Linux 3.19 to 6.18) that have an argument: short and long. */
const WITH_ARGUMENT =
  'e:event p:pid t:tid r:realtime C:cpu c:count o:output F:freq m:mmap-pages k:clockid G:cgroup D:delay u:uid ' +
  'j:branch-filter filter mmap-flush call-graph proc-map-timeout vmlinux switch-output-event switch-max-files ' +
  'affinity max-size num-thread-synthesize pfm-events control synth setup-filter off-cpu-thresh clang-path clang-opt';
/** Those that have one where it is joined to them, and never take the next word. */
const WITH_JOINED_ARGUMENT =
  'I:intr-regs user-regs S:snapshot aux-sample switch-output aio z:compression-level debuginfod threads bpf-aux-pause';
const WITHOUT_ARGUMENT =
  'a:all-cpus R:raw-samples i:no-inherit g: v:verbose q:quiet s:stat d:data T:timestamp P:period n:no-samples ' +
  'N:no-buildid-cache B:no-buildid b:branch-any W:weight f:force A:append latency exclude-perf no-buffering ' +
  'tail-synthesize overwrite no-bpf-event strict-freq phys-data data-page-size code-page-size sample-mem-info ' +
  'sample-cpu sample-identifier kcore transaction per-thread running-time namespaces all-cgroups switch-events ' +
  'all-kernel all-user kernel-callchains user-callchains buildid-all buildid-mmap timestamp-filename ' +
  'timestamp-boundary dry-run off-cpu group';

type Argument = 'next word' | 'joined' | 'none';

interface Option {
  readonly short: string;
  readonly long: string;
  readonly argument: Argument;
}

const OPTIONS: readonly Option[] = [
  ...optionsIn(WITH_ARGUMENT, 'next word'),
  ...optionsIn(WITH_JOINED_ARGUMENT, 'joined'),
  ...optionsIn(WITHOUT_ARGUMENT, 'none'),
];

function optionsIn(names: string, argument: Argument): Option[] {
  return names.split(' ').map((name) => {
    const [long = '', short = ''] = name.split(':').toReversed();
    return { short, long, argument };
  });
}

/** An option as it was given. */
interface Given {
  readonly option: Option;
  /** As perf's manual has it. */
  readonly name: string;
  readonly value: string;
  readonly isNegated: boolean;
}

/** By long name: whether an option lets perf leave events out, by its argument. */
const LEAVES_OUT: Readonly<Partial<Record<string, (value: string) => boolean>>> = {
  filter: () => true,
  pid: () => true,
  tid: () => true,
  cpu: () => true,
  uid: () => true,
  cgroup: () => true,
  'all-user': () => true,
  // Of each CPU, what was overwritten.
  overwrite: () => true,
  // What is no interval samples: it takes one of several, where one alone is each of them.
  freq: () => true,
  count: (value) => Number(value) !== 1,
  // Stretches of time, and what lies between them is left out.
  delay: (value) => /^\d+-\d/.test(value),
};

/** @returns undefined for another line */
export function leftOutByCommand(line: string): LeftOut | undefined {
  const command = COMMAND.exec(line);
  if (command === null) return undefined;
  const { given, unknown, runs, isUnsure } = readWords((command[1] ?? '').split(' '));
  const narrow = given.filter(
    ({ option, value, isNegated }) => !isNegated && (LEAVES_OUT[option.long]?.(value) ?? false),
  );
  const names = [...new Set(narrow.map(({ name }) => name))];
  if (names.length > 0)
    return { missing: `perf record was told ${names.join(', ')}: what that left out is missing` };
  if (unknown !== undefined)
    return {
      unknown: `perf record was told ${unknown}, which is not known here: whether that left events out is not known`,
    };
  const isOfAll = given.findLast(({ option }) => option.long === 'all-cpus')?.isNegated === false;
  if (!runs || isOfAll) return {};
  if (isUnsure)
    return {
      unknown:
        'perf record was told to run a command, or an argument of it holds a blank: ' +
        'whether what other processes did is missing is not known',
    };
  return {
    missing:
      'perf record was told to run a command, without -a: what other processes did is missing',
  };
}

interface Words {
  readonly given: readonly Given[];
  /** The first option that is not in the table. */
  readonly unknown: string | undefined;
  /** Whether a command follows. */
  readonly runs: boolean;
  /** Blanks in arguments are not marked: what looks like one may be the rest of an argument, and perf's options follow. */
  readonly isUnsure: boolean;
}

function readWords(words: readonly string[]): Words {
  const given: Given[] = [];
  let unknown: string | undefined;
  let at = 0;
  while (at < words.length) {
    const word = words[at++] ?? '';
    if (word === '') continue;
    const rest = words.slice(at);
    if (word === '--')
      return { given, unknown, runs: rest.some((one) => one !== ''), isUnsure: false };
    if (!word.startsWith('-') || word === '-')
      return { given, unknown, runs: true, isUnsure: rest.some(mayBeOfAll) };
    const options = word.startsWith('--') ? longOption(word.slice(2)) : shortOptions(word.slice(1));
    given.push(...options.given);
    if (options.unknown !== undefined) {
      unknown ??= options.unknown;
      // What comes may be its argument, or begin a command.
      if (!(words[at] ?? '').startsWith('-') && !word.includes('=')) break;
    } else if (options.wants !== undefined)
      given.push({ ...options.wants, value: words[at++] ?? '' });
  }
  return { given, unknown, runs: false, isUnsure: false };
}

/** -a, alone or among others, or --all-cpus. */
function mayBeOfAll(word: string): boolean {
  return /^(?:-[a-zA-Z]*a|--all-c)/.test(word);
}

interface WordOptions {
  readonly given: readonly Given[];
  /** The last of them, where its argument is the next word. */
  readonly wants?: Given;
  readonly unknown?: string;
}

/** Several in one word, the last of which may have its argument in it. */
function shortOptions(letters: string): WordOptions {
  const given: Given[] = [];
  for (const [at, letter] of Array.from(letters).entries()) {
    const option = OPTIONS.find(({ short }) => short === letter);
    const name = `-${letter}`;
    if (option === undefined) return { given, unknown: name };
    const one: Given = { option, name, value: letters.slice(at + 1), isNegated: false };
    if (option.argument === 'next word' && one.value === '') return { given, wants: one };
    given.push(one);
    if (option.argument !== 'none') break;
  }
  return { given };
}

/** It may be cut where no other begins like that, and `no-` before it, or taken from before it, negates it. */
function longOption(text: string): WordOptions {
  const [name = ''] = text.split('=', 1);
  const spelt = OPTIONS.filter(({ long }) => long !== '').flatMap((option) =>
    spellings(option).map((one) => ({ ...one, option })),
  );
  const cut = spelt.filter(({ spelling }) => spelling.startsWith(name));
  const found =
    cut.find(({ spelling }) => spelling === name) ?? (cut.length === 1 ? cut[0] : undefined);
  if (found === undefined) return { given: [], unknown: `--${name.slice(0, 40)}` };
  const { option, isNegated } = found;
  const hasValue = text.length > name.length;
  const one: Given = {
    option,
    name: `--${option.long}`,
    value: text.slice(name.length + 1),
    isNegated,
  };
  return option.argument === 'next word' && !hasValue && !isNegated
    ? { given: [], wants: one }
    : { given: [one] };
}

function spellings({ long }: Option): { spelling: string; isNegated: boolean }[] {
  return [
    { spelling: long, isNegated: false },
    { spelling: `no-${long}`, isNegated: true },
    ...(long.startsWith('no-') ? [{ spelling: long.slice(3), isNegated: true }] : []),
  ];
}
