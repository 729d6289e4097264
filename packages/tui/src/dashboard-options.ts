/** The options, and their values as they are typed. */
import { MOST_STORM_RATE, type Preemption } from '@vhostscope/model';
import { lengthOfTime, sizeInBytes } from '@vhostscope/terminal';
import { InvalidArgumentError } from 'commander';

export interface DashboardOptions {
  readonly follow?: boolean;
  readonly socket?: string;
  /** URL of a server, maybe with a run. */
  readonly from?: string;
  readonly design?: string;
  readonly beside?: string;
  readonly designFile?: string;
  readonly smap?: 'on' | 'off';
  /** Two rates, as typed. */
  readonly calibrate?: string;
  readonly preempt?: Preemption;
  readonly speed?: number | 'max';
  /** ns */
  readonly window?: number;
  /** Bytes. */
  readonly keep?: number;
  readonly stormRate?: number;
  readonly json?: boolean;
  readonly schema?: boolean;
  readonly debug?: boolean;
}

/** "2", "0.5x", "max" */
export function parseSpeed(text: string): number | 'max' {
  if (text === 'max') return 'max';
  const [, number = ''] = /^(\d{1,6}(?:\.\d{1,6})?)x?$/.exec(text) ?? [];
  const speed = Number(number);
  if (number === '' || speed < 0.1 || speed > 1000)
    throw new InvalidArgumentError('Give 0.1 to 1000, as in 0.5x, or max.');
  return speed;
}

/** "10", "10s", "500ms", "2m" → ns */
export function parseWindow(text: string): number {
  const ns = 1e6 * (lengthOfTime(text, 's') ?? 0);
  if (ns < 100e6 || ns > 3600e9) throw new InvalidArgumentError('Give 100ms to 60m, as in 10s.');
  return ns;
}

/** "500M", "2G", "1.5GiB", "500MB"; a number alone is MiB → bytes */
export function parseKeep(text: string): number {
  const bytes = sizeInBytes(text, 'MiB') ?? 0;
  if (bytes < 1 << 20) throw new InvalidArgumentError('Give 1M or more, as in 500M or 2G.');
  return bytes;
}

/** Ranges in a second that make a storm. */
export function parseStormRate(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text) || Number(text) > MOST_STORM_RATE)
    throw new InvalidArgumentError(`Give ranges per second, 1 to ${MOST_STORM_RATE}.`);
  return Number(text);
}
