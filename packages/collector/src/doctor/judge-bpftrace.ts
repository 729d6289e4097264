import type { BpftraceFacts } from '../host/host-facts.js';
import {
  isBefore,
  isNewerThanKnown,
  isTested,
  OLDEST_BPFTRACE,
  TESTED_VERSIONS,
  versionNumbers,
} from '../recording-program/bpftrace-dialects.js';
import type { Finding } from './findings.js';

/** Whether this bpftrace can run the program, and whether its like ever has. */
export function judgeBpftrace(bpftrace: BpftraceFacts | undefined, asked: string): Finding {
  const id = 'bpftrace';
  if (bpftrace === undefined)
    return {
      id,
      verdict: 'blocked',
      found: asked === 'bpftrace' ? 'no bpftrace' : `${asked} cannot be run`,
      cost: 'nothing can be recorded',
      change: 'install the package bpftrace, 0.17 or newer',
    };
  const version = versionNumbers(bpftrace.version);
  if (version === undefined)
    return {
      id,
      verdict: 'limited',
      found: `${bpftrace.path} does not say its version`,
      cost: `the program is written for 0.17, and was tested with ${TESTED_VERSIONS} only`,
      change: `use bpftrace ${TESTED_VERSIONS}`,
    };
  const found = `bpftrace ${bpftrace.version ?? ''}`;
  if (isBefore(version, OLDEST_BPFTRACE))
    return {
      id,
      verdict: 'blocked',
      found,
      cost: 'it cannot read the structs of modules',
      change: 'install bpftrace 0.17 or newer',
    };
  if (isTested(version)) return { id, verdict: 'ok', found };
  return {
    id,
    verdict: 'limited',
    found: `${found}, untested`,
    cost: isNewerThanKnown(version)
      ? 'newer than any whose language is known here (0.27)'
      : `the program is written for it, its text is held by snapshots, and it was tested with ${TESTED_VERSIONS} only`,
    change: `if the probes cannot be attached, use bpftrace ${TESTED_VERSIONS}`,
  };
}
