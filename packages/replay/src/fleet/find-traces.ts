/** The traces of folders and files, each as a run of a host. */
import { lstatSync, readdirSync, statSync, type BigIntStats } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { inOrder, printable, ProgramError } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';
import type { FleetRun } from './fleet-run.js';

export interface FoundTraces {
  /** By host and run. */
  readonly traces: readonly FoundTrace[];
  /** Files of folders that are not named as traces are, or are no files that one could read to an end. */
  readonly passedOver: readonly string[];
  readonly twice: readonly TakenOnce[];
}

/** A path that leads to a file or folder that another path has led to. */
export interface TakenOnce {
  readonly path: string;
  readonly takenAs: string;
}

export interface FoundTrace {
  readonly run: FleetRun;
  /** Why it cannot be read, where that is known already: a folder that is closed, a file that is gone. */
  readonly reason: string | undefined;
}

/** How the files of a folder have to be named to be taken for traces: other files are beside them, too. */
export const TRACE_NAMES = '.arrows, .txt or .log, or these with .gz';
const IS_TRACE = /\.(?:arrows|txt|log)(?:\.gz)?$/i;

/** A run that lies in no folder. */
export interface RunElsewhere {
  readonly path: string;
  readonly host: string;
  readonly run: string;
  readonly bytes: number;
  /** Tells what is in it from whatever else might be. */
  readonly digest?: string;
}

/** A path on its way to becoming a run. */
interface Candidate extends RunElsewhere {
  readonly reason: string | undefined;
}

interface Search {
  readonly candidates: Candidate[];
  readonly passedOver: string[];
  readonly twice: TakenOnce[];
  /** Files and folders that were seen, whatever their name, with the path that led there: links lead in circles. */
  readonly seen: Map<string, string>;
  /** Symbolic links, which are followed last: what a file is called where it lies is its name. */
  readonly links: (() => void)[];
}

/**
 * Folders are gone through to their depths. What lies in a folder of the one that was named is of the host of that
 * folder's name; a file right in it is of a host of its own. Several paths are taken as if they lay in one folder.
 *
 * @param elsewhere runs that are told by others
 * @throws ProgramError where a path does not lead to anything, or to nothing that was recorded
 */
export function findTraces(
  paths: readonly string[],
  elsewhere: readonly RunElsewhere[] = [],
): FoundTraces {
  const search: Search = {
    candidates: elsewhere.map((run) => ({ ...run, reason: undefined })),
    passedOver: [],
    twice: [],
    seen: new Map(),
    links: [],
  };
  for (const path of paths) {
    if (path === '-')
      throw new ProgramError('replay fleet reads files and folders, and - is standard input', {
        advice: 'replay run - reads one trace from it',
      });
    const stat = statOf(path);
    if (typeof stat === 'string') throw new ProgramError(`cannot read ${path}: ${stat}`);
    visitInTurn(search, path, () => {
      if (!stat.isDirectory()) return visitFile(search, path, stat, [basename(path)]);
      const takenAs = seenAs(search, path, stat);
      if (takenAs === undefined) visitFolder(search, path, paths.length > 1 ? [hostOf(path)] : []);
      else search.twice.push({ path, takenAs });
    });
  }
  // A folder behind a link may hold more of them.
  for (const follow of search.links) follow();
  const { candidates, passedOver, twice } = search;
  if (candidates.length === 0)
    throw new ProgramError(`there is no trace in ${paths.join(', ')}`, {
      advice: `of a folder, files are read whose names end in ${TRACE_NAMES}; any file is read that is named itself`,
    });
  return { traces: withNames(candidates.toSorted(byName)), passedOver, twice };
}

/** @param names of the folders on the way here, from the one that is a host's */
function visitFolder(search: Search, folder: string, names: readonly string[]): void {
  let entries: string[];
  try {
    entries = readdirSync(folder).toSorted();
  } catch (error) {
    addCandidate(search, folder, 0, names.length === 0 ? [hostOf(folder)] : names, reasonOf(error));
    return;
  }
  for (const entry of entries) {
    const path = join(folder, entry);
    const within = [...names, entry];
    const stat = statOf(path);
    if (typeof stat === 'string') {
      if (IS_TRACE.test(entry)) addCandidate(search, path, 0, within, stat);
      else search.passedOver.push(path);
    } else if (entry.startsWith('.') || !(stat.isFile() || stat.isDirectory())) {
      search.passedOver.push(path);
    } else if (stat.isDirectory()) {
      visitInTurn(search, path, () => {
        if (seenAs(search, path, stat) === undefined) visitFolder(search, path, within);
      });
    } else if (IS_TRACE.test(entry)) {
      visitInTurn(search, path, () => visitFile(search, path, stat, within));
    } else {
      search.passedOver.push(path);
    }
  }
}

function visitFile(
  search: Search,
  path: string,
  stat: BigIntStats,
  names: readonly string[],
): void {
  const takenAs = seenAs(search, path, stat);
  if (takenAs === undefined) addCandidate(search, path, Number(stat.size), names);
  else search.twice.push({ path, takenAs });
}

/** The path that has led to a file or folder before; undefined of one that is new, and seen from now on. */
function seenAs({ seen }: Search, path: string, { dev, ino }: BigIntStats): string | undefined {
  const key = `${dev} ${ino}`;
  const before = seen.get(key);
  if (before === undefined) seen.set(key, path);
  return before;
}

/** @param path that leads somewhere */
function visitInTurn({ links }: Search, path: string, visit: () => void): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true) links.push(visit);
  else visit();
}

function addCandidate(
  { candidates }: Search,
  path: string,
  bytes: number,
  names: readonly string[],
  reason?: string,
): void {
  const [first = path, ...rest] = names;
  candidates.push({
    path,
    bytes,
    host: rest.length === 0 ? first.replace(IS_TRACE, '') || first : first,
    run: rest.length === 0 ? first : rest.join('/'),
    reason,
  });
}

/** What a path leads to, or why nothing. */
function statOf(path: string): BigIntStats | string {
  try {
    // Numbers of files need more than a number holds.
    return statSync(path, { bigint: true });
  } catch (error) {
    return reasonOf(error);
  }
}

/** Of a folder, whatever leads to it. */
function hostOf(folder: string): string {
  return basename(resolve(folder)) || folder;
}

function byName(a: Candidate, b: Candidate): number {
  return inOrder(a.host, b.host) || inOrder(a.run, b.run) || inOrder(a.path, b.path);
}

/** A run's name is its own also as it is shown: of folders that are called the same, it is the path. */
function withNames(candidates: readonly Candidate[]): FoundTrace[] {
  const key = (host: string, run: string): string => JSON.stringify([host, run].map(printable));
  const times = new Map<string, number>();
  for (const { host, run } of candidates)
    times.set(key(host, run), (times.get(key(host, run)) ?? 0) + 1);
  const taken = new Set<string>();
  return candidates.map(({ host, run, path, bytes, digest, reason }) => {
    const isShared = (times.get(key(host, run)) ?? 0) > 1;
    const wanted = isShared ? path : run;
    let name = wanted;
    for (let number = 2; taken.has(key(host, name)); number++) name = `${wanted} (${number})`;
    taken.add(key(host, name));
    const source = { path, bytes, ...(digest !== undefined && { digest }) };
    return { run: { host, run: name, source }, reason };
  });
}
