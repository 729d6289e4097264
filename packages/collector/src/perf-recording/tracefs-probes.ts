/**
 * The probes of a recording in tracefs: they are the host's, not a process's, and stay when nobody takes them away.
 * So their group names who has made them, and a recorder takes away what others of its kind have left behind.
 */
import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { pid } from 'node:process';
import { EXIT, ProgramError } from '@vhostscope/terminal';
import { reasonOf } from '@vhostscope/trace';
import {
  definitionLine,
  eventName,
  type ProbeDefinition,
  type ProbeNames,
} from './probe-definitions.js';

/** What the kernel says of a probe. */
export interface ProbeHits {
  readonly hits: bigint;
  /** It was hit and did nothing, because another probe was at work, or too many returns were under way. */
  readonly misses: bigint;
}

export interface TracefsProbes {
  readonly names: ProbeNames;
  /** Their names, without that of the group. */
  readonly events: readonly string[];
  /** By name of the event; none where it cannot be read. */
  hits(): ReadonlyMap<string, ProbeHits>;
  /** Takes them away. Returns those that stay, as somebody uses them. */
  remove(): Promise<readonly string[]>;
  /** The same for a process that ends, and can wait for nothing else. */
  removeNow(): void;
}

const GROUP = /^[pr]\d*:(vhostscope_(\d+)_(\d+))\/(\w+) /gm;

/** Names that no other process has had since the host was booted. */
export function ownNames(): ProbeNames {
  return { group: `vhostscope_${pid}_${startOf(pid) ?? 0}`, suffix: `_${pid}` };
}

/** When a process began, in ticks since boot; undefined when it is gone. */
function startOf(process: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${process}/stat`, 'latin1');
    // The name of the program stands in brackets, and may hold anything.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/**
 * Takes away what recorders have left that are gone.
 *
 * @returns events that could not be taken away
 */
export async function removeStaleProbes(tracefs: string): Promise<readonly string[]> {
  const stale = [...readText(`${tracefs}/kprobe_events`).matchAll(GROUP)].flatMap(
    ([, group = '', owner = '', start = '', event = '']) =>
      startOf(Number(owner)) === start ? [] : [`${group}/${event}`],
  );
  return removeProbes(tracefs, stale);
}

/** @throws ProgramError when the kernel takes one of them not; none of them stays then */
export function defineProbes(
  tracefs: string,
  definitions: readonly ProbeDefinition[],
  names: ProbeNames = ownNames(),
): TracefsProbes {
  const own = definitions.map((definition, index) => eventName(definition, index, names));
  const counted = new Set(own);
  const events: string[] = [];
  const removeNow = (): void => {
    let left = events.splice(0);
    for (let tried = 0; left.length > 0 && tried < TRIES; tried++) {
      if (tried > 0) Atomics.wait(NOBODY_WAKES, 0, 0, BETWEEN_TRIES_MS);
      left = left.filter((event) => !tryCommand(tracefs, `-:${event}`));
    }
  };
  for (const [index, definition] of definitions.entries()) {
    const line = definitionLine(definition, index, names);
    try {
      command(tracefs, line);
    } catch (error) {
      removeNow();
      throw new ProgramError(
        `the kernel does not take the probe at ${definition.place}: ${reasonOf(error)}`,
        { exitCode: EXIT.host, advice: `${tracefs}/error_log may say more` },
      );
    }
    events.push(`${names.group}/${own[index]}`);
  }
  return {
    names,
    events: own,
    hits: () => readHits(tracefs, counted),
    remove: () => removeProbes(tracefs, events.splice(0)),
    removeNow,
  };
}

/** A recorder that was killed is in use for as long as it takes to die. */
const TRIES = 30;
const BETWEEN_TRIES_MS = 100;
const NOBODY_WAKES = new Int32Array(new SharedArrayBuffer(4));

async function removeProbes(tracefs: string, events: readonly string[]): Promise<string[]> {
  let left = [...events];
  for (let tried = 0; left.length > 0 && tried < TRIES; tried++) {
    if (tried > 0) await new Promise((resolve) => setTimeout(resolve, BETWEEN_TRIES_MS));
    left = left.filter((event) => !tryCommand(tracefs, `-:${event}`));
  }
  return left;
}

/** @returns whether it is done, or there was nothing to do */
function tryCommand(tracefs: string, text: string): boolean {
  try {
    command(tracefs, text);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT';
  }
}

/** Appended: whoever opens this file to write it anew takes away the probes of everybody. */
function command(tracefs: string, text: string): void {
  const fd = openSync(`${tracefs}/kprobe_events`, 'a');
  try {
    writeSync(fd, `${text}\n`);
  } finally {
    closeSync(fd);
  }
}

const PROFILE = /^\s*(\w+)\s+(\d+)\s+(\d+)\s*$/gm;

function readHits(tracefs: string, own: ReadonlySet<string>): ReadonlyMap<string, ProbeHits> {
  const hits = new Map<string, ProbeHits>();
  for (const [, event = '', hit = '0', missed = '0'] of readText(
    `${tracefs}/kprobe_profile`,
  ).matchAll(PROFILE))
    if (own.has(event)) hits.set(event, { hits: BigInt(hit), misses: BigInt(missed) });
  return hits;
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
