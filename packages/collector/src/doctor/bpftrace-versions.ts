/** Which versions of bpftrace can run the program, and which have. */
import type { BpftraceFacts } from '../host/host-facts.js';
import type { Finding } from './findings.js';

/** Reads the structs of modules from 0.17 on (reference §3.14). */
const LEAST = [0, 17] as const;
const TESTED = '0.17';
/** The latest whose language is known here. */
const LATEST = [0, 26] as const;

export function judgeBpftrace(bpftrace: BpftraceFacts | undefined): Finding {
  const id = 'bpftrace';
  if (bpftrace === undefined)
    return {
      id,
      verdict: 'blocked',
      found: 'no bpftrace',
      cost: 'nothing can be recorded',
      change: 'install the package bpftrace, 0.17 or newer',
    };
  const version = versionNumbers(bpftrace.version);
  if (bpftrace.version === undefined || version === undefined)
    return {
      id,
      verdict: 'limited',
      found: `${bpftrace.path} does not say its version`,
      cost: `the program was tested with ${TESTED} only`,
      change: `use bpftrace ${TESTED}`,
    };
  if (isBefore(version, LEAST))
    return {
      id,
      verdict: 'blocked',
      found: `bpftrace ${bpftrace.version}`,
      cost: 'it cannot read the structs of modules',
      change: 'install bpftrace 0.17 or newer',
    };
  if (bpftrace.version.startsWith(`${TESTED}.`) || bpftrace.version === TESTED)
    return { id, verdict: 'ok', found: `bpftrace ${bpftrace.version}` };
  return {
    id,
    verdict: 'limited',
    found: `bpftrace ${bpftrace.version}`,
    cost: isBefore(LATEST, version)
      ? `newer than any that is known here (0.26): its language may have changed`
      : `the program is made for it, and was tested with ${TESTED} only`,
    change: `if the probes cannot be attached, use bpftrace ${TESTED}`,
  };
}

/** Major and minor number; undefined when there is none. */
export function versionNumbers(version: string | undefined): readonly [number, number] | undefined {
  const numbers = /^(\d+)\.(\d+)/.exec(version ?? '');
  return numbers === null ? undefined : [Number(numbers[1]), Number(numbers[2])];
}

export function isBefore(
  [major, minor]: readonly [number, number],
  [otherMajor, otherMinor]: readonly [number, number],
): boolean {
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}
