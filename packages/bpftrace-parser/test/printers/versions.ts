import type * as fc from 'fast-check';

/** The releases of bpftrace with `-f json`; of those with bugs of their own, every one that differs. */
export const VERSIONS = [
  '0.9.2',
  '0.9.3',
  '0.10',
  '0.11',
  '0.12',
  '0.13',
  '0.14',
  '0.15',
  '0.16',
  '0.17',
  '0.18',
  '0.19',
  '0.20',
  '0.21',
  '0.22',
  '0.23',
  '0.24.0',
  '0.24.2',
  '0.25.0',
  '0.26.1',
] as const;

/** A release. */
export type Version = (typeof VERSIONS)[number];

/** Whether it is as new as the other, or newer. */
export function isSince(version: Version, first: string): boolean {
  const [major, minor, patch] = parts(version);
  const [firstMajor, firstMinor, firstPatch] = parts(first);
  if (major !== firstMajor) return major > firstMajor;
  return minor === firstMinor ? patch >= firstPatch : minor > firstMinor;
}

function parts(version: string): readonly [number, number, number] {
  const [major, minor, patch = 0] = version.split('.').map(Number);
  return [major, minor, patch];
}

/**
 * Something printed, a string with a character per byte, and the messages that it means, each with
 * the number of its line from 0.
 */
export interface Printed {
  readonly bytes: string;
  readonly means: readonly { readonly line: number; readonly body: object }[];
}

/** Something of one message that begins on its first line. */
export function one(bytes: string, body: object): Printed {
  return { bytes, means: [{ line: 0, body }] };
}

/** A kind of output, of which every version from `since` to before `until` prints any number. */
export interface Row {
  readonly name: string;
  readonly since: string;
  readonly until?: string;
  readonly printed: (version: Version) => fc.Arbitrary<Printed>;
}
