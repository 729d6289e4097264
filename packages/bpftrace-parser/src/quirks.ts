/**
 * Where the output of bpftrace is not what its format promises, version by version, and what the
 * parser makes of it. Versions are inclusive; 0.26.1 is the newest one looked at.
 */

/** How a row of the table is known. */
export type Evidence =
  /** Parsed from the output of a real run (bpftrace 0.17.0). */
  | 'run'
  /** Read in the source of the versions named, never run against their output. */
  | 'source';

/** One departure that the parser undoes. */
export interface Quirk {
  /** Bit in the repair mask of one line. */
  readonly bit: number;
  readonly from: string;
  readonly to: string;
  readonly evidence: Evidence;
  /** What bpftrace prints, and what is made of it. */
  readonly description: string;
}

/** Names of the quirks, and of the counters for them. */
export type QuirkId =
  | 'high-bytes'
  | 'bare-value'
  | 'hex-integer'
  | 'empty-value'
  | 'missing-comma'
  | 'sticky-hex';

/** All quirks that are repaired and counted. */
export const QUIRKS: Readonly<Record<QuirkId, Quirk>> = {
  'high-bytes': {
    bit: 1,
    from: '0.17',
    to: '0.26.1',
    evidence: 'run',
    description:
      'a byte from 0x80 on is printed as \\uffffffXX: made that byte again, then decoded',
  },
  'bare-value': {
    bit: 2,
    from: '0.9.2',
    to: '0.24.2',
    evidence: 'run',
    description:
      'strings without quotes: strftime to 0.21, cgroup_path and strerror to 0.19, macaddr to ' +
      '0.23, interval_start in 0.24: read up to where the rest of the line fits',
  },
  'hex-integer': {
    bit: 4,
    from: '0.18',
    to: '0.21.3',
    evidence: 'source',
    description: 'pointers as bare 0x...: read as integers',
  },
  'empty-value': {
    bit: 8,
    from: '0.9.2',
    to: '0.22.1',
    evidence: 'source',
    description: 'nothing after a colon (empty histograms to 0.15, unsupported types): null',
  },
  'missing-comma': {
    bit: 16,
    from: '0.24.0',
    to: '0.24.2',
    evidence: 'source',
    description: 'tseries points with nothing between them: read as if there were commas',
  },
  'sticky-hex': {
    bit: 32,
    from: '0.24.0',
    to: '0.26.1',
    evidence: 'source',
    description:
      'counts turn hexadecimal after the first \\u escape of a run: read so from the first one with ' +
      'a letter on, and all marked suspect',
  },
};

/** The quirks in a repair mask. */
export function quirksIn(mask: number): QuirkId[] {
  const ids = Object.keys(QUIRKS) as QuirkId[];
  return ids.filter((id) => (mask & QUIRKS[id].bit) !== 0);
}
