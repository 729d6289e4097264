/** How runs are named on the server: subjects and streams. */
import type { RunName } from './fleet-url.js';

/** The stream that holds all runs of a prefix. */
export function runStream(prefix: string): string {
  return `${prefix.toUpperCase()}_RUNS`;
}

/** What the stream takes. */
export function streamSubjects(prefix: string): string[] {
  return [allRunSubjects(prefix), allClockSubjects(prefix)];
}

/** All pieces of all runs. */
export function allRunSubjects(prefix: string): string {
  return `${prefix}.run.*.*`;
}

/** The pieces of a run. */
export function runSubject(prefix: string, { host, run }: RunName): string {
  return `${prefix}.run.${tokenOf(host)}.${tokenOf(run)}`;
}

/** What is known of the clock of a run's host. */
export function clockSubject(prefix: string, { host, run }: RunName): string {
  return `${prefix}.clock.${tokenOf(host)}.${tokenOf(run)}`;
}

/** What is known of the clocks of all hosts. */
export function allClockSubjects(prefix: string): string {
  return `${prefix}.clock.*.*`;
}

/** The run of a subject; undefined of one that is none of ours. */
export function runOfSubject(prefix: string, subject: string): RunName | undefined {
  const tokens = subject.split('.');
  if (tokens.length !== 4 || tokens[0] !== prefix || tokens[1] !== 'run') return undefined;
  const host = nameOfToken(tokens[2]);
  const run = nameOfToken(tokens[3]);
  return host === undefined || run === undefined ? undefined : { host, run };
}

/** Bytes of UTF-8 that a name may have: subjects are bounded, and so are the names of files. */
export const MAX_NAME_BYTES = 64;

/** A name as a token: letters, digits, - and _ stay, any other byte becomes =XX. No two names have one token. */
export function tokenOf(name: string): string {
  return Array.from(Buffer.from(name, 'utf8'), (byte) =>
    isPlain(byte) ? String.fromCharCode(byte) : `=${byte.toString(16).padStart(2, '0')}`,
  ).join('');
}

/** The name of a token; undefined where it is not how `tokenOf` writes one. */
export function nameOfToken(token: string): string | undefined {
  if (!/^(?:[A-Za-z0-9_-]|=[0-9a-f]{2})+$/.test(token)) return undefined;
  const bytes = token.replace(/=([0-9a-f]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const name = Buffer.from(bytes, 'latin1').toString('utf8');
  return tokenOf(name) === token ? name : undefined;
}

function isPlain(byte: number): boolean {
  return /[A-Za-z0-9_-]/.test(String.fromCharCode(byte));
}
